using Google.Rpc;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>Locks of three seconds: longer than a few calls take, short enough to sit out.</summary>
public sealed class ServerWithShortLocks() : DevServer(["guesses:firstLockSeconds=3"]);

public sealed class LockTests(ServerWithShortLocks server) : IClassFixture<ServerWithShortLocks>, IAsyncDisposable
{
    private Caller Caller => server.Process.Dev;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Caller));

    [Fact]
    public async Task A_right_code_during_a_lock_is_neither_accepted_nor_used_up() // TL1
    {
        var owner = await Owner.EnrolAsync(Caller);

        var last = await GuessAsync(owner, 5);
        var locked = await Caller.VerifyAsync(owner.Account, owner.NextCode);
        var status = await Caller.GetStatusAsync(owner.Account);
        await Clock.PassAsync(last.RetryTime.ToDateTimeOffset());
        var unlocked = await Caller.VerifyAsync(owner.Account, owner.NextCode);

        Assert.Equal((Verdict.Rejected, 0), (last.Verdict, last.AttemptsRemaining));
        Assert.Equal((Verdict.Locked, 0, last.RetryTime), (locked.Verdict, locked.AttemptsRemaining, locked.RetryTime));
        Assert.Equal((State.Enabled, last.RetryTime), (status.State, status.LockedUntil));
        Assert.Equal((Verdict.Accepted, 5), (unlocked.Verdict, unlocked.AttemptsRemaining));
        Assert.Null((await Caller.GetStatusAsync(owner.Account)).LockedUntil);
    }

    [Fact]
    public async Task Guesses_during_a_lock_do_not_count_and_the_next_lock_is_twice_as_long()
    {
        var owner = await Owner.EnrolAsync(Caller);

        var first = await GuessAsync(owner, 5);
        var ignored = await GuessAsync(owner, 5);
        await Clock.PassAsync(first.RetryTime.ToDateTimeOffset());
        var before = TimeProvider.System.GetUtcNow();
        var second = await GuessAsync(owner, 5);

        Assert.Equal((Verdict.Locked, first.RetryTime), (ignored.Verdict, ignored.RetryTime));
        Assert.Equal(Verdict.Rejected, second.Verdict);
        Assert.True(second.RetryTime.ToDateTimeOffset() - before >= TimeSpan.FromSeconds(6), "The second lock is too short.");
    }

    [Fact]
    public async Task Other_connections_keys_and_successes_of_another_kind_give_no_new_guesses() // TL2, TL3, TL7
    {
        var owner = await Owner.EnrolAsync(Caller);
        var wrong = await owner.App.WrongCodesAsync(5);
        var anotherKey = await ServerProgram.CreateKeyAsync(server.Process.Data, $"second-{Guid.NewGuid():N}", "verify,enroll");

        Assert.Equal(4, (await Caller.VerifyAsync(owner.Account, wrong[0])).AttemptsRemaining);
        Assert.Equal(3, (await server.Process.NewCaller(server.Process.DevKey).VerifyAsync(owner.Account, wrong[1])).AttemptsRemaining);
        Assert.Equal(2, (await server.Process.NewCaller(anotherKey).VerifyAsync(owner.Account, wrong[2])).AttemptsRemaining);
        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);
        Assert.Equal(1, (await Caller.VerifyAsync(owner.Account, wrong[3])).AttemptsRemaining);
        await Caller.EnableAsync(owner.Account, owner.RecoveryCodes[1]);
        await Caller.RegenerateRecoveryCodesAsync(owner.Account, owner.RecoveryCodes[2]);
        Assert.Equal(0, (await Caller.VerifyAsync(owner.Account, wrong[4])).AttemptsRemaining);
        Assert.Equal(Verdict.Locked, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task Guesses_at_any_call_come_out_of_one_budget()
    {
        var owner = await Owner.EnrolAsync(Caller);
        var wrong = await owner.App.WrongCodesAsync(4);

        await Refused.ForCodeAsync(() => Caller.EnableAsync(owner.Account, wrong[0]));
        await Refused.ForCodeAsync(() => Caller.RegenerateRecoveryCodesAsync(owner.Account, wrong[1]));
        Assert.Equal(2, (await Caller.VerifyAsync(owner.Account, wrong[2])).AttemptsRemaining);
        await Refused.ForCodeAsync(() => Caller.EnableAsync(owner.Account, wrong[3]));
        Assert.Equal(0, (await Caller.VerifyAsync(owner.Account, owner.UsedCode)).AttemptsRemaining);

        await AssertLockedAsync(() => Caller.EnableAsync(owner.Account, owner.NextCode));
        await AssertLockedAsync(() => Caller.RegenerateRecoveryCodesAsync(owner.Account, owner.NextCode));
    }

    [Fact]
    public async Task Starting_an_enrollment_over_gives_no_new_guesses_at_it()
    {
        var account = Owner.NewAccount();
        for (var i = 0; i < 5; i++)
        {
            var started = await Caller.EnableAsync(account);
            var wrong = await new Authenticator(started.Secret).WrongCodeAsync();
            Assert.Equal(4 - i, (await Caller.VerifyAsync(account, wrong, started.EnrollmentId)).AttemptsRemaining);
        }

        var last = await Caller.EnableAsync(account);
        var right = await new Authenticator(last.Secret).CodeAsync(Authenticator.Step);
        Assert.Equal(Verdict.Locked, (await Caller.VerifyAsync(account, right, last.EnrollmentId)).Verdict);
    }

    [Fact]
    public async Task Recovery_codes_have_a_budget_of_their_own() // RC6, TL7, TL10
    {
        var (owner, other) = (await Owner.EnrolAsync(Caller), await Owner.EnrolAsync(Caller));

        await GuessAsync(owner, 5);
        Assert.Equal(Verdict.Locked, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);

        foreach (var code in owner.RecoveryCodes[..5])
            Assert.Equal(Verdict.Rejected, (await Caller.VerifyAsync(other.Account, code)).Verdict);
        Assert.Equal(Verdict.Locked, (await Caller.VerifyAsync(other.Account, other.RecoveryCodes[0])).Verdict);
        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(other.Account, other.NextCode)).Verdict);
    }

    private static async Task AssertLockedAsync(Func<Task> call)
    {
        var status = await Refused.AsAsync(StatusCode.ResourceExhausted, ErrorReason.Locked, call);
        Assert.InRange(status.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan(), TimeSpan.Zero, TimeSpan.FromSeconds(3));
    }

    private async Task<VerifyResponse> GuessAsync(Owner owner, int times)
    {
        var last = new VerifyResponse();
        foreach (var code in await owner.App.WrongCodesAsync(times)) last = await Caller.VerifyAsync(owner.Account, code);
        return last;
    }
}
