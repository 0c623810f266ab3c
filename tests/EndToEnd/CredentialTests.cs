using Google.Protobuf;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>Nothing is served without exactly one valid credential, whatever the path looks like (AU1, AU7, AU14).</summary>
public sealed class CredentialTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    private static readonly string[] Rpcs = ["Enable", "Verify", "GetStatus", "RegenerateRecoveryCodes", "NoSuchMethod"];

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(server.Process.Dev));

    [Fact]
    public async Task No_credential_that_is_not_exactly_a_key_in_use_is_accepted()
    {
        var key = server.Process.DevKey;
        var (id, secret) = (key[..20], key[21..]);
        string[][] refused =
        [
            [], [""], ["Bearer"], ["Bearer "], [key], [$"Token {key}"], [$"Basic {key}"],
            [$"Bearer {key[..4]}"], [$"Bearer {id}"], [$"Bearer {id}_"], [$"Bearer {key[..^1]}"], [$"Bearer {key}A"],
            [$"Bearer  {key}"], [$"Bearer {key},"], [$"Bearer {key}="], [$"Bearer {id}_{new string('A', 43)}"],
            [$"Bearer mfa_{new string('0', 16)}_{secret}"], [$"Bearer {id}_{secret.ToUpperInvariant()}"],
            [$"Bearer {id}_{Flipped(secret)}"], [$"Bearer {new string('x', 5000)}"], [$"Bearer {key[..^1]}!"],
            [$"Bearer {key[..^1]}_"], // no last symbol of 32 bytes: two of its bits mean nothing and must be zero
            [$"Bearer {key}", $"Bearer {key}"], [$"Bearer {key}", "Bearer wrong"], ["Bearer wrong", $"Bearer {key}"],
            [$"Bearer {key}", Caller.Basic("someone", "password")],
        ];

        foreach (var credential in refused)
        {
            using var caller = new Caller(server.Process.Grpc, credential, server.Process.Secrets);
            await Refused.AsUnauthenticatedAsync(() => caller.GetStatusAsync("a"));
        }
    }

    [Fact]
    public async Task No_method_is_served_without_a_credential()
    {
        var nobody = server.Process.NewCallerWith();

        foreach (var rpc in Rpcs) await Refused.AsUnauthenticatedAsync(() => nobody.SendAsync(rpc, []));
        await Refused.AsUnauthenticatedAsync(() => nobody.SendAsync("no.such.Service", "Verify", []));
    }

    [Theory]
    [InlineData("/mfa.v1.mfaservice/verify")]
    [InlineData("/MFA.V1.MFASERVICE/VERIFY")]
    [InlineData("/mfa.v1.MfaService/%56erify")]
    [InlineData("/%6dfa.v1.MfaService/Verify")]
    [InlineData("/mfa.v1.MfaService/Verify/")]
    [InlineData("//mfa.v1.MfaService/Verify")]
    [InlineData("/x/../mfa.v1.MfaService/Verify")]
    [InlineData("/mfa.v1.MfaService/Verify?x=1")]
    [InlineData("/mfa.v1.MfaService/Verify;x=1")]
    [InlineData("/grpc.health.v1.Health/../mfa.v1.MfaService/Verify")]
    [InlineData("/grpc.health.v1.Health/Check/../../mfa.v1.MfaService/Verify")]
    public async Task No_spelling_of_a_path_leads_past_the_credential(string path)
    {
        var owner = await Owner.EnrolAsync(server.Process.Dev);
        var enrollOnly = await ServerProgram.CreateKeyAsync(server.Process.Data, $"enroll-{Guid.NewGuid():N}", "enroll");
        var message = new VerifyRequest { Account = owner.Account, Code = owner.NextCode }.ToByteArray();

        Assert.NotEqual(StatusCode.OK, await RawHttp.PostAsync(server.Process.Grpc, path, message));
        Assert.NotEqual(StatusCode.OK, await RawHttp.PostAsync(server.Process.Grpc, path, message, $"Bearer {enrollOnly}"));

        // Nobody looked at the code: it is still good.
        Assert.Equal(Verdict.Accepted, (await server.Process.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task The_plain_path_is_served_in_this_way_with_a_credential_only() // what makes the test above mean something
    {
        var message = new GetStatusRequest { Account = "a" }.ToByteArray();
        const string Path = "/mfa.v1.MfaService/GetStatus";

        Assert.Equal(StatusCode.OK, await RawHttp.PostAsync(server.Process.Grpc, Path, message, $"Bearer {server.Process.DevKey}"));
        Assert.Equal(StatusCode.Unauthenticated, await RawHttp.PostAsync(server.Process.Grpc, Path, message));
    }

    [Fact]
    public async Task A_key_revoked_while_its_connection_is_open_is_refused_at_the_next_call() // AU14
    {
        var name = $"short-lived-{Guid.NewGuid():N}";
        var key = await ServerProgram.CreateKeyAsync(server.Process.Data, name, "verify");
        var caller = server.Process.NewCaller(key);
        await caller.GetStatusAsync("a");

        await ServerProgram.RevokeKeyAsync(server.Process.Data, name);

        await Refused.AsUnauthenticatedAsync(() => caller.GetStatusAsync("a"));
        var renewed = await ServerProgram.CreateKeyAsync(server.Process.Data, name, "verify");
        await server.Process.NewCaller(renewed).GetStatusAsync("a");
        await Refused.AsUnauthenticatedAsync(() => caller.GetStatusAsync("a"));
    }

    private static string Flipped(string secret) => (secret[0] == 'A' ? 'B' : 'A') + secret[1..];
}
