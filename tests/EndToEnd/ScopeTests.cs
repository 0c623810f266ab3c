using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>What a key may do, and to whose accounts (AU9, AU10).</summary>
public sealed class ScopeTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(server.Process.Dev));

    [Theory]
    [InlineData("verify", "Verify,GetStatus")]
    [InlineData("enroll", "Enable,RegenerateRecoveryCodes")]
    [InlineData("disable", "")]
    [InlineData("admin", "")]
    [InlineData("disable,admin", "")]
    [InlineData("verify,enroll", "Enable,Verify,GetStatus,RegenerateRecoveryCodes")]
    public async Task A_key_may_do_what_its_scopes_say_and_nothing_else(string scopes, string allowed)
    {
        var key = await ServerProgram.CreateKeyAsync(server.Process.Data, $"key-{Guid.NewGuid():N}", scopes);
        var caller = server.Process.NewCaller(key);
        var enrolled = (await Owner.EnrolAsync(server.Process.Dev)).Account;

        foreach (var rpc in new[] { "Enable", "Verify", "GetStatus", "RegenerateRecoveryCodes" })
        {
            // An empty request: who is let through is told that the account is missing.
            if (allowed.Split(',').Contains(rpc, StringComparer.Ordinal))
                await Assert.ThrowsAsync<RpcException>(() => caller.SendAsync(rpc, []));
            else await Refused.AsNotAllowedAsync(() => caller.SendAsync(rpc, []));
        }

        await Assert.ThrowsAnyAsync<RpcException>(() => caller.EnableAsync(enrolled));
        Assert.Null((await server.Process.Dev.GetStatusAsync(enrolled)).Pending);
    }

    [Fact]
    public async Task A_scope_is_not_evaded_by_another_spelling_of_the_method()
    {
        var caller = server.Process.NewCaller(await ServerProgram.CreateKeyAsync(server.Process.Data, $"key-{Guid.NewGuid():N}", "verify"));
        var account = Owner.NewAccount();
        var request = new EnableRequest { Account = account, Method = Method.Authenticator };

        foreach (var method in new[] { "Enable", "enable", "ENABLE" })
            await Refused.AsNotAllowedAsync(() => caller.SendAsync(method, request));

        Assert.Equal(State.Disabled, (await server.Process.Dev.GetStatusAsync(account)).State);
    }

    [Fact]
    public async Task A_tenant_sees_nothing_of_anothers_accounts()
    {
        var stranger = server.Process.NewCaller(
            await ServerProgram.CreateKeyAsync(server.Process.Data, $"key-{Guid.NewGuid():N}", "verify,enroll", tenant: "another"));
        var owner = await Owner.EnrolAsync(server.Process.Dev);
        var unknown = Owner.NewAccount();

        Assert.Equal(await stranger.GetStatusAsync(unknown), await stranger.GetStatusAsync(owner.Account));
        await Refused.AsNotEnabledAsync(() => stranger.VerifyAsync(owner.Account, owner.NextCode));
        await Refused.AsNotEnabledAsync(() => stranger.RegenerateRecoveryCodesAsync(owner.Account, owner.RecoveryCodes[0]));

        // The same name in the other tenant is another account, and neither one's codes count for the other.
        var namesake = await Owner.EnrolAsync(stranger, owner.Account);
        Assert.Equal(Verdict.Rejected, (await stranger.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        Assert.Equal(Verdict.Rejected, (await stranger.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);
        Assert.Equal(Verdict.Rejected, (await server.Process.Dev.VerifyAsync(owner.Account, namesake.NextCode)).Verdict);
        Assert.Equal(Verdict.Accepted, (await server.Process.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        Assert.Equal(Verdict.Accepted, (await stranger.VerifyAsync(owner.Account, namesake.NextCode)).Verdict);
    }
}
