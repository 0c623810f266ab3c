using System.Net;
using System.Net.Sockets;
using Mfa.V1;

namespace Mfa.Client.Tests;

/// <summary>A server that is away, silent or somebody else's.</summary>
public sealed class ReachTests
{
    [Fact]
    public async Task A_server_that_is_not_there_is_said_to_be_out_of_reach()
    {
        var port = FreePort();

        var run = await MfaProgram.RunAsync(null, $"--endpoint http://127.0.0.1:{port} --account a status", environment: ["MFA_API_KEY=k"]);

        Assert.Equal((1, "", $"Cannot reach http://127.0.0.1:{port} : is the server running?\n"), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public async Task A_host_that_there_is_not_is_said_to_be_none()
    {
        var run = await MfaProgram.RunAsync(null, "--endpoint https://mfa.invalid:7443 --account a --timeout 50 --output json status", environment: ["MFA_API_KEY=k"]);

        var error = run.Json.GetProperty("error");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal("CANNOT_REACH", error.GetProperty("reason").GetString());
        Assert.Equal("Cannot reach https://mfa.invalid:7443 : there is no such host.", error.GetProperty("message").GetString());
    }

    [Fact]
    public async Task A_host_that_lets_nobody_in_is_out_of_reach()
    {
        // The queue of a listener that nobody accepts from takes one connection; the system drops the next ones.
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        using var first = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(listener.LocalEndPoint!, TestContext.Current.CancellationToken);

        var run = await MfaProgram.RunAsync(null, $"--endpoint http://{listener.LocalEndPoint} --account a --timeout 1 status", environment: ["MFA_API_KEY=k"]);

        Assert.Equal((1, "", $"Cannot reach http://{listener.LocalEndPoint} : nothing answers there.\n"), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_waited_for_as_long_as_asked()
    {
        await using var server = await StubServer.StartAsync();
        using var testIsOver = new ManualResetEventSlim();
        server.OnGetStatus = _ =>
        {
            testIsOver.Wait();
            return new() { State = State.Enabled };
        };

        var run = await RunAsync(server, "--timeout 1 status");
        testIsOver.Set();

        Assert.Equal((1, "", $"No answer from {server.Endpoint} in time; nothing was accepted.\n"), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public async Task Every_call_has_a_deadline_of_ten_seconds()
    {
        await using var server = await StubServer.StartAsync();

        string[] verbs = ["mk AUTHENTICATOR", "verify 123456", "status", "recovery-codes", "get-token", "rm"];
        foreach (var verb in verbs)
            await MfaProgram.RunAsync(server, $"--account a {verb}", "n\nn\nn\n123456\n", ["MFA_API_KEY=k"], patient: false);

        Assert.Equal(8, server.TimeGiven.Count);
        Assert.All(server.TimeGiven, time => Assert.InRange(time, TimeSpan.Zero, TimeSpan.FromSeconds(10)));
    }

    private static Task<Finished> RunAsync(StubServer server, string arguments) =>
        MfaProgram.RunAsync(server, $"--account a {arguments}", environment: ["MFA_API_KEY=k"]);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
