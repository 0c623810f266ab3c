using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Transport;

/// <summary>
/// Certificates that callers show (AU5, CF8). What is wrong about one ends the connection; what it stands for is decided later.
/// </summary>
public sealed class ClientCertificateTests(ClientCertificateTests.Server server) : IClassFixture<ClientCertificateTests.Server>, IAsyncDisposable
{
    private const string Name = "svc.example.org";

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(server.Process.Dev));

    [Fact]
    public async Task A_caller_without_one_is_heard() // it has its credential in the call
    {
        await server.Process.NewCaller(server.Process.DevKey).GetStatusAsync("a");
        await Refused.AsUnauthenticatedAsync(() => server.Process.NewCallerWith().GetStatusAsync("a"));
    }

    [Fact]
    public async Task One_of_the_right_authority_gets_a_connection()
    {
        Assert.True(await ReachesAsync(server.Authority.Issue(Name, Authority.ForClients)));
        using var between = Authority.New("between", server.Authority);
        var issued = between.Issue(Name, Authority.ForClients);
        Assert.False(await ReachesAsync(issued)); // nobody told the server of that authority
    }

    public static TheoryData<string> Wrong => ["self-signed", "other authority", "expired", "not yet valid", "for servers alone", "for nothing said"];

    [Theory, MemberData(nameof(Wrong))]
    public async Task Any_other_gets_none(string what)
    {
        using var other = Authority.New("root"); // of the same name, with another key
        var shown = what switch
        {
            "self-signed" => other.Itself(),
            "other authority" => other.Issue(Name, Authority.ForClients),
            "expired" => server.Authority.Issue(Name, Authority.ForClients, daysLeft: -1),
            "not yet valid" => server.Authority.Issue(Name, Authority.ForClients, daysPast: -1),
            "for servers alone" => server.Authority.Issue(Name, Authority.ForServers),
            _ => server.Authority.Issue(Name, purpose: null),
        };

        Assert.False(await ReachesAsync(shown));
    }

    /// <summary>Whether the call gets through to the server, which then refuses it in its own words: there is no such method.</summary>
    private async Task<bool> ReachesAsync(Certificates shown)
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => server.Process.NewCallerWith(shown).SendAsync("NoSuchMethod", []));
        return error.GetRpcStatus() is not null;
    }

    public sealed class Server : IAsyncLifetime
    {
        internal ServerProcess Process { get; private set; } = null!;

        internal Authority Authority { get; } = Authority.New("root");

        public async ValueTask InitializeAsync() =>
            Process = await ServerProcess.StartWithTlsAsync(Certificates.For("127.0.0.1"), Authority.Pem);

        public async ValueTask DisposeAsync()
        {
            Authority.Dispose();
            await Process.DisposeAsync();
        }
    }
}
