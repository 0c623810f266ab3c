using Google.Rpc;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>The cap is reached with the first run, and the lock that comes with it is over in a second.</summary>
public sealed class ServerWithLowCap() : DevServer(["guesses:cap=10", "guesses:run=10", "guesses:firstLockSeconds=1"]);

/// <summary>A factor that was guessed wrong too often is blocked for good (TL6).</summary>
public sealed class CapTests(ServerWithLowCap server) : IClassFixture<ServerWithLowCap>, IAsyncDisposable
{
    private Caller Caller => server.Process.Dev;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Caller));

    [Fact]
    public async Task At_the_cap_no_waiting_helps_but_a_recovery_code_does()
    {
        var owner = await Owner.EnrolAsync(Caller);
        var blocked = await BlockAsync(owner);
        await Clock.PassAsync(TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(1.5)); // past any lock

        var right = await Caller.VerifyAsync(owner.Account, owner.NextCode);
        var recovered = await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[0]);

        Assert.Equal((Verdict.Rejected, 0, null), (blocked.Verdict, blocked.AttemptsRemaining, blocked.RetryTime));
        Assert.Equal((Verdict.Locked, 0, null), (right.Verdict, right.AttemptsRemaining, right.RetryTime));
        Assert.Equal((Verdict.Accepted, Factor.RecoveryCode), (recovered.Verdict, recovered.Factor));
        Assert.Equal(State.Blocked, (await Caller.GetStatusAsync(owner.Account)).State);
    }

    [Fact]
    public async Task A_blocked_account_is_enrolled_again_with_a_recovery_code()
    {
        var owner = await Owner.EnrolAsync(Caller);
        await BlockAsync(owner);

        var refusal = await Refused.AsAsync(
            StatusCode.ResourceExhausted, ErrorReason.Locked, () => Caller.EnableAsync(owner.Account, owner.NextCode));
        var started = await Caller.EnableAsync(owner.Account, owner.RecoveryCodes[0]);
        Assert.Equal(State.Blocked, (await Caller.GetStatusAsync(owner.Account)).State); // not before the new one is proven
        var renewed = await Owner.FinishAsync(Caller, owner.Account, started);

        Assert.Null(refusal.GetDetail<RetryInfo>()); // waiting does not help
        Assert.Equal(State.Enabled, (await Caller.GetStatusAsync(owner.Account)).State);
        var reply = await Caller.VerifyAsync(owner.Account, renewed.NextCode);
        Assert.Equal((Verdict.Accepted, 10), (reply.Verdict, reply.AttemptsRemaining));
    }

    [Fact]
    public async Task A_crash_does_not_unblock()
    {
        var owner = await Owner.EnrolAsync(Caller);
        await BlockAsync(owner);

        await server.Process.KillAsync();
        await server.Process.StartAgainAsync();

        Assert.Equal(Verdict.Locked, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        Assert.Equal(State.Blocked, (await Caller.GetStatusAsync(owner.Account)).State);
    }

    private async Task<VerifyResponse> BlockAsync(Owner owner)
    {
        var last = new VerifyResponse();
        foreach (var code in await owner.App.WrongCodesAsync(10)) last = await Caller.VerifyAsync(owner.Account, code);
        return last;
    }
}
