using System.Text.Json.Nodes;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Callers;

/// <summary>Every rpc, with every scope, by every kind of credential (AU1, AU10).</summary>
public sealed class PermissionMatrixTests(OpenServer server) : IClassFixture<OpenServer>, IAsyncDisposable
{
    /// <summary>What the contract says, once more.</summary>
    private static readonly Dictionary<string, string> Needed = new(StringComparer.Ordinal)
    {
        ["Enable"] = "enroll", ["Verify"] = "verify", ["GetToken"] = "verify", ["Disable"] = "disable",
        ["ConfirmDisable"] = "disable", ["GetStatus"] = "verify", ["RegenerateRecoveryCodes"] = "enroll",
    };

    private static readonly string[] Grants = ["verify", "enroll", "disable", "admin", "verify,enroll", "verify,enroll,disable,admin"];

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(server.Process.Dev));

    [Fact]
    public void The_matrix_has_a_row_for_every_rpc() =>
        Assert.Equal(MfaService.Descriptor.Methods.Select(rpc => rpc.Name).Order(StringComparer.Ordinal), Needed.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public async Task A_key_a_token_and_a_certificate_may_do_what_their_scopes_say_and_nothing_else()
    {
        var wrong = new List<string>();
        foreach (var (scopes, i) in Grants.Select((scopes, i) => (scopes, i)))
        {
            var key = await ServerProgram.CreateKeyAsync(server.Process.Data, $"matrix-{i}", scopes);
            var token = await server.Issuer.TokenAsync("ec", new JsonObject { ["scope"] = scopes.Replace(',', ' ') });
            await server.MapAsync($"matrix-{i}", $"dns:matrix-{i}.example.org", scopes);
            foreach (var (kind, caller) in new[]
            {
                ("key", server.Process.NewCaller(key)), ("token", server.Process.NewCaller(token)),
                ("certificate", server.WithCertificate($"matrix-{i}.example.org")),
            })
            {
                foreach (var (rpc, needed) in Needed)
                {
                    var expected = scopes.Split(',').Contains(needed, StringComparer.Ordinal) ? "through" : nameof(ErrorReason.CallerNotAllowed);
                    var outcome = await OutcomeAsync(caller, rpc);
                    if (outcome != expected) wrong.Add($"{kind} with {scopes}: {rpc} was {outcome}");
                }
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task A_token_without_a_scope_may_do_nothing()
    {
        foreach (var scope in new[] { null, "", "openid", "verify,enroll" })
        {
            var caller = server.Process.NewCaller(await server.Issuer.TokenAsync("rsa", new JsonObject { ["scope"] = scope }));
            foreach (var rpc in Needed.Keys) Assert.Equal(nameof(ErrorReason.CallerNotAllowed), await OutcomeAsync(caller, rpc));
        }
    }

    [Fact]
    public async Task A_person_may_do_everything_on_their_own_account()
    {
        await ServerProgram.AddPersonAsync(server.Process.Data, "matrix", "person@example.org", "correct horse");
        var person = server.Process.NewCallerWith(Caller.Basic("matrix", "correct horse"));

        foreach (var rpc in Needed.Keys) Assert.Equal("through", await OutcomeAsync(person, rpc));
    }

    [Fact]
    public async Task Nobody_may_do_anything()
    {
        var stranger = server.Process.NewCallerWith(Caller.Basic("nobody", "password"));
        foreach (var nobody in new[] { server.Process.NewCallerWith(), server.WithCertificate("nobody.example.org"), stranger })
        {
            foreach (var rpc in Needed.Keys) Assert.Equal(nameof(ErrorReason.Unauthenticated), await OutcomeAsync(nobody, rpc));
        }
    }

    [Fact]
    public async Task Anothers_account_answers_as_one_that_does_not_exist() // AU9
    {
        var owner = await Owner.EnrolAsync(server.Process.Dev);
        var stranger = server.Process.NewCaller(await server.Issuer.TokenAsync("rsa", new JsonObject { ["tenant"] = "another" }));
        var token = new string('A', 43);
        foreach (Func<string, Task<byte[]>> call in (Func<string, Task<byte[]>>[])
        [
            account => stranger.SendAsync("GetStatus", new GetStatusRequest { Account = account }),
            account => stranger.SendAsync("Verify", new VerifyRequest { Account = account, Code = owner.NextCode }),
            account => stranger.SendAsync("Verify", new VerifyRequest { Account = account, Code = owner.RecoveryCodes[0] }),
            account => stranger.SendAsync("Verify", new VerifyRequest
            {
                Account = account, Code = owner.NextCode, EnrollmentId = owner.Enrolled.EnrollmentId,
            }),
            account => stranger.SendAsync("GetToken", new GetTokenRequest { Account = account }),
            account => stranger.SendAsync("Disable", new DisableRequest { Account = account }),
            account => stranger.SendAsync("ConfirmDisable", new ConfirmDisableRequest { Account = account, Token = token }),
            account => stranger.SendAsync("RegenerateRecoveryCodes", new RegenerateRecoveryCodesRequest { Account = account, Code = owner.NextCode }),
        ])
        {
            Assert.Equal(await AnswerAsync(() => call(Owner.NewAccount())), await AnswerAsync(() => call(owner.Account)));
        }

        Assert.Equal(Verdict.Accepted, (await server.Process.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    /// <summary>An empty request: who is let through is told what it lacks.</summary>
    private static async Task<string> OutcomeAsync(Caller caller, string rpc)
    {
        try
        {
            await caller.SendAsync(rpc, []);
            return "through";
        }
        catch (RpcException error)
        {
            return error.StatusCode switch
            {
                StatusCode.Unauthenticated => nameof(ErrorReason.Unauthenticated),
                StatusCode.PermissionDenied => nameof(ErrorReason.CallerNotAllowed),
                StatusCode.InvalidArgument or StatusCode.FailedPrecondition => "through",
                _ => error.Status.ToString(),
            };
        }
    }

    /// <summary>All that a caller can see of an answer.</summary>
    private static async Task<string> AnswerAsync(Func<Task<byte[]>> call)
    {
        try
        {
            return Convert.ToHexString(await call());
        }
        catch (RpcException error)
        {
            return $"{error.Status} {error.GetRpcStatus()}";
        }
    }
}
