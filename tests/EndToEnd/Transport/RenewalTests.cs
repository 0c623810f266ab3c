using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Transport;

/// <summary>Certificate files that change under a server that runs.</summary>
public sealed class RenewalTests
{
    [Fact]
    public async Task A_renewed_certificate_serves_new_connections_and_leaves_the_open_ones_alone()
    {
        using var authority = Authority.New("root");
        await using var server = await ServerProcess.StartWithTlsAsync(authority.Issue("127.0.0.1"));
        var first = await ShownAsync(server);
        var open = await server.Dev.WatchHealthAsync(); // a call that goes on over the change

        server.Tls.Write(authority.Issue("127.0.0.1"));
        var second = await ChangedAsync(server, first);

        Assert.NotEqual(first, second);
        Assert.False(open.IsCompleted);
        await Owner.AssertServedAsync(server.Dev);
        await Owner.AssertServedAsync(server.NewCaller(server.DevKey));
    }

    [Fact]
    public async Task A_new_pair_that_is_not_right_is_not_taken()
    {
        using var authority = Authority.New("root");
        await using var server = await ServerProcess.StartWithTlsAsync(authority.Issue("127.0.0.1"), clientCa: authority.Pem);
        var good = await ShownAsync(server);
        var next = authority.Issue("127.0.0.1");

        foreach (var (broken, says) in new (Action, string)[]
        {
            (() => File.WriteAllText(server.Tls.Certificate, next.Chain), "tls:keyFile"), // half of it is written
            (() => File.WriteAllText(server.Tls.Certificate, "-----BEGIN"), "tls:certificateFile"),
            (() => File.Delete(server.Tls.Certificate), "tls:certificateFile"),
            (() => server.Tls.Write(authority.Issue("127.0.0.1", daysLeft: -1)), "expired"),
            (() => server.Tls.Write(next, clientCa: next.Chain), "tls:clientCaFile"),
        })
        {
            broken();
            await ToldAsync(server, "goes on with the files it has", says);
            Assert.Equal(good, await ShownAsync(server));
        }

        server.Tls.Write(next, authority.Pem);
        Assert.NotEqual(good, await ChangedAsync(server, good));
        await Owner.AssertServedAsync(server.NewCaller(server.DevKey));
    }

    [Fact]
    public async Task Files_behind_links_that_are_turned_elsewhere_are_seen() // as Kubernetes renews a mounted secret
    {
        using var authority = Authority.New("root");
        await using var server = await ServerProcess.StartWithTlsAsync(files =>
        {
            new TlsFolder(files["..one"]).Write(authority.Issue("127.0.0.1"));
            new TlsFolder(files["..two"]).Write(authority.Issue("127.0.0.1"));
            File.CreateSymbolicLink(files["..data"], "..one");
            foreach (var file in new[] { files.Certificate, files.Key, files.Authority })
                File.CreateSymbolicLink(file, Path.Combine("..data", Path.GetFileName(file)));
        });
        var first = await ShownAsync(server);

        File.CreateSymbolicLink(server.Tls["..next"], "..two");
        var turn = await OutsideProgram.RunAsync(new ProcessStartInfo("mv", ["-T", server.Tls["..next"], server.Tls["..data"]]), []);
        Assert.True(turn.ExitCode == 0, turn.Errors);

        Assert.NotEqual(first, await ChangedAsync(server, first));
    }

    [Fact]
    public async Task A_certificate_that_ends_soon_is_told_once()
    {
        using var authority = Authority.New("root");
        await using var server = await ServerProcess.StartWithTlsAsync(authority.Issue("127.0.0.1", daysLeft: 5));
        await ToldAsync(server, "ends soon", "Renew it");

        server.Tls.Write(authority.Issue("127.0.0.1", daysLeft: 18));
        await ChangedAsync(server, await ShownAsync(server));

        Assert.Equal(0, await server.StopAsync());
        Assert.Single(server.Lines, line => line.Contains("ends soon", StringComparison.Ordinal));
    }

    private static async Task ToldAsync(ServerProcess server, params string[] words)
    {
        while (!server.Lines.Any(line => words.All(word => line.Contains(word, StringComparison.Ordinal))))
            await Task.Delay(50, TestContext.Current.CancellationToken);
    }

    /// <summary>Returns once new connections are shown another certificate.</summary>
    private static async Task<string> ChangedAsync(ServerProcess server, string from)
    {
        while (true)
        {
            if (await ShownAsync(server) is var now && now != from) return now;
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<string> ShownAsync(ServerProcess server)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Grpc.Host, server.Grpc.Port, TestContext.Current.CancellationToken);
        await using var tls = new SslStream(client.GetStream());
        var options = Trust.Options(await File.ReadAllTextAsync(server.Tls.Authority, TestContext.Current.CancellationToken));
        (options.TargetHost, options.ApplicationProtocols) = (server.Grpc.Host, [SslApplicationProtocol.Http2]);
        await tls.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);
        return new X509Certificate2(tls.RemoteCertificate!).Thumbprint;
    }
}
