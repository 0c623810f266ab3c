using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
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
            await MfaProgram.RunAsync(server, $"--account a {verb}", "n\nn\nn\n123456\n", ["MFA_API_KEY=k"]);

        Assert.Equal(8, server.TimeGiven.Count);
        Assert.All(server.TimeGiven, time => Assert.InRange(time, TimeSpan.Zero, TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_ends_it_before_anything_is_sent()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        await using var server = await StubServer.StartAsync(certificate);

        var run = await RunAsync(server, "verify 123456");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"The certificate of {server.Endpoint} is not trusted; nothing was sent.", run.Error, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
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
