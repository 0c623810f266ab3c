using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Transport;

/// <summary>Connections that are held open for nothing (TD10).</summary>
public sealed class ConnectionTests
{
    [Fact]
    public async Task One_peer_holds_no_more_than_its_share_and_health_stays_green()
    {
        await using var server = await ServerProcess.StartWithTlsAsync(
            Certificates.For("127.0.0.1"), settings: ["limits:connections=100", "limits:connectionsPerPeer=60"]);
        await server.Dev.GetStatusAsync("a"); // one of the 60

        using var attacker = StartHolding(server);
        var held = JsonNode.Parse((await attacker.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!)!["held"]!.GetValue<int>();

        Assert.Equal(59, held);
        await server.Dev.GetStatusAsync("a"); // who is in stays in
        Assert.Equal(HttpStatusCode.OK, await HealthAsync(server));
        attacker.StandardInput.Close();
        await attacker.WaitForExitAsync(TestContext.Current.CancellationToken);
        await ServedAgainAsync(server);
        Assert.Equal(0, await server.StopAsync());
        Assert.Single(server.Lines, line => line.Contains("connections above the limits", StringComparison.Ordinal)); // not one for each
    }

    [Fact]
    public async Task Five_thousand_connections_are_bounded_by_the_limits_that_a_server_has_of_itself()
    {
        await using var server = await ServerProcess.StartWithTlsAsync(Certificates.For("127.0.0.1"));
        await server.Dev.GetStatusAsync("a");

        var sockets = new List<Socket>();
        try
        {
            for (var i = 0; i < 5_000; i++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                sockets.Add(socket);
                await TryConnectAsync(socket, server);
                if (i % 500 == 0) Assert.Equal(HttpStatusCode.OK, await HealthAsync(server));
            }

            await server.Dev.GetStatusAsync("a");
            Assert.Equal(HttpStatusCode.OK, await HealthAsync(server));
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }

        await ServedAgainAsync(server);
        await Memory.AssertBoundedAsync(server);
    }

    private static async Task TryConnectAsync(Socket socket, ServerProcess server)
    {
        try
        {
            await socket.ConnectAsync(server.Grpc.Host, server.Grpc.Port, TestContext.Current.CancellationToken);
        }
        catch (SocketException)
        {
            // Refused already.
        }
    }

    /// <summary>It notices by and by that the others are gone.</summary>
    private static async Task ServedAgainAsync(ServerProcess server)
    {
        while (true)
        {
            try
            {
                await Owner.AssertServedAsync(server.NewCaller(server.DevKey));
                return;
            }
            catch (Grpc.Core.RpcException refused) when (refused.StatusCode == Grpc.Core.StatusCode.Unavailable)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }
    }

    private static Process StartHolding(ServerProcess server)
    {
        var start = Attacker.Start(server, "connections");
        start.RedirectStandardInput = start.RedirectStandardOutput = true;
        return Process.Start(start)!;
    }

    private static async Task<HttpStatusCode> HealthAsync(ServerProcess server)
    {
        using var client = new HttpClient(Trust.In(await File.ReadAllTextAsync(server.Tls.Authority, TestContext.Current.CancellationToken)));
        using var response = await client.GetAsync(new Uri(server.Web, "/health/ready"), TestContext.Current.CancellationToken);
        return response.StatusCode;
    }
}
