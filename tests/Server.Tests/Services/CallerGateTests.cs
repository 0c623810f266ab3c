using Grpc.Core;
using Mfa.Server.Callers;
using Mfa.Server.Services;
using Mfa.V1;
using Microsoft.Extensions.DependencyInjection;

namespace Mfa.Server.Tests.Services;

public sealed class CallerGateTests
{
    [Fact]
    public void Every_rpc_of_the_contract_has_a_scope()
    {
        var everything = new Principal(CallerKind.Service, "t", "n", Scopes.Verify | Scopes.Enroll | Scopes.Disable | Scopes.Admin);
        var unlisted = MfaService.Descriptor.Methods.Where(method => !Permissions.Allows(everything, Rpc(method.Name, MfaService.Descriptor.FullName)));

        Assert.Empty(unlisted);
        Assert.False(Permissions.Allows(everything, Rpc("Unknown", MfaService.Descriptor.FullName)));
        Assert.False(Permissions.Allows(everything, Rpc("Verify", "another.Service")));
    }

    [Theory]
    [InlineData("Verify", (int)Scopes.Verify)]
    [InlineData("GetStatus", (int)Scopes.Verify)]
    [InlineData("Enable", (int)Scopes.Enroll)]
    [InlineData("RegenerateRecoveryCodes", (int)Scopes.Enroll)]
    [InlineData("GetToken", (int)Scopes.Verify)]
    [InlineData("Disable", (int)Scopes.Disable)]
    [InlineData("ConfirmDisable", (int)Scopes.Disable)]
    public void A_scope_opens_its_own_rpcs_alone(string rpc, int needed)
    {
        foreach (var scope in new[] { Scopes.None, Scopes.Verify, Scopes.Enroll, Scopes.Disable, Scopes.Admin })
        {
            var caller = new Principal(CallerKind.Service, "t", "n", scope);
            Assert.Equal((int)scope == needed, Permissions.Allows(caller, Rpc(rpc, MfaService.Descriptor.FullName)));
        }
    }

    [Fact]
    public async Task Whatever_is_not_exactly_one_right_credential_is_refused_alike()
    {
        await using var server = await TestServer.StartAsync();
        var good = (await server.KeyAsync())[0].Value;
        var key = good["Bearer ".Length..];
        Metadata[] bad =
        [
            [], new() { { "authorization", "" } }, new() { { "authorization", "Bearer" } }, new() { { "authorization", "Bearer " } },
            new() { { "authorization", key } }, new() { { "authorization", $"Basic {key}" } }, new() { { "authorization", $"Bearer {key[..^1]}" } },
            new() { { "authorization", $"Bearer {key}x" } }, new() { { "authorization", $"Bearer {key[..21]}" } },
            new() { { "authorization", $"Bearer {key[..^1]}{(key[^1] == 'A' ? 'E' : 'A')}" } }, new() { { "authorization", $"Bearer {key.ToUpperInvariant()}" } },
            new() { { "authorization", good }, { "authorization", good } }, new() { { "authorization", "Basic !!!" } },
            new() { { "authorization", "Digest x" } }, new() { { "authorization", $"Bearer {new string('a', 5000)}" } },
        ];

        foreach (var metadata in bad)
        {
            await Refused.AsAsync(StatusCode.Unauthenticated, "UNAUTHENTICATED",
                async () => await server.Client.GetStatusAsync(new GetStatusRequest { Account = "alice" }, metadata));
        }

        Assert.Equal(State.Disabled, (await server.Client.GetStatusAsync(
            new GetStatusRequest { Account = "alice" }, new Metadata { { "authorization", $"bearer {key}" } })).State);
    }

    [Fact]
    public async Task A_revoked_key_is_refused_at_its_next_call_on_the_same_connection()
    {
        await using var server = await TestServer.StartAsync();
        var keys = server.Services.GetRequiredService<ApiKeys>();
        var key = new Metadata { { "authorization", $"Bearer {await keys.CreateAsync("shop", "default", Scopes.Verify)}" } };
        var request = new GetStatusRequest { Account = "alice" };
        await server.Client.GetStatusAsync(request, key);

        Assert.Equal(1, await keys.RevokeAsync("shop"));

        await Refused.AsAsync(StatusCode.Unauthenticated, "UNAUTHENTICATED", async () => await server.Client.GetStatusAsync(request, key));
    }

    [Fact]
    public async Task Tenants_do_not_see_each_other()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var other = await server.KeyAsync(tenant: "other");

        Assert.Equal(State.Disabled, (await server.Client.GetStatusAsync(new GetStatusRequest { Account = alice.Name }, other)).State);
        await Refused.AsAsync(StatusCode.FailedPrecondition, "NOT_ENABLED", async () => await server.Client.VerifyAsync(
            new VerifyRequest { Account = alice.Name, Code = alice.Code(server.Step) }, other));
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);
    }

    [Fact]
    public async Task A_person_acts_on_their_own_account_and_needs_not_name_it()
    {
        await using var server = await TestServer.StartAsync();
        var jane = await server.PersonAsync("jane", "correct horse");
        var request = new EnableRequest { Method = Method.Authenticator };

        var pending = await server.Client.EnableAsync(request, jane);

        Assert.Equal("jane", pending.Account);
        Assert.Equal("j***@e***.org", (await server.Client.GetStatusAsync(new GetStatusRequest { Account = "jane" }, jane)).Destination);
        await Refused.AsAsync(StatusCode.PermissionDenied, "CALLER_NOT_ALLOWED",
            async () => await server.Client.GetStatusAsync(new GetStatusRequest { Account = "bob" }, jane));
        await Refused.FieldsAsync(["email"], async () => await server.Client.EnableAsync(
            new EnableRequest { Method = Method.Authenticator, Email = "other@example.org" }, jane));
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_name_are_refused_alike()
    {
        await using var server = await TestServer.StartAsync();
        await server.PersonAsync("jane", "correct horse");
        Func<Metadata, Task<Google.Rpc.Status>> refusal = metadata => Refused.AsAsync(StatusCode.Unauthenticated, "UNAUTHENTICATED",
            async () => await server.Client.GetStatusAsync(new GetStatusRequest(), metadata));

        var wrong = await refusal(TestServer.Basic("jane", "correct horsf"));
        var unknown = await refusal(TestServer.Basic("joan", "correct horse"));

        Assert.Equal(wrong, unknown);
    }

    [Fact]
    public async Task More_password_checks_than_the_queue_holds_are_told_to_come_back()
    {
        await using var server = await TestServer.StartAsync("passwords:parallel=1", "passwords:queue=0");
        var jane = await server.PersonAsync("jane", "correct horse");

        var calls = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            try
            {
                await server.Client.GetStatusAsync(new GetStatusRequest(), jane);
                return StatusCode.OK;
            }
            catch (RpcException refused)
            {
                return refused.StatusCode;
            }
        }));

        Assert.Contains(StatusCode.OK, calls);
        Assert.Contains(StatusCode.ResourceExhausted, calls);
        Assert.All(calls, code => Assert.True(code is StatusCode.OK or StatusCode.ResourceExhausted));
    }

    private static Method<string, string> Rpc(string name, string service) =>
        new(MethodType.Unary, service, name, Marshallers.StringMarshaller, Marshallers.StringMarshaller);
}
