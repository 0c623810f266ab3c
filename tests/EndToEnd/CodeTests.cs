using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>Which codes of an authenticator count, and that each counts once.</summary>
public sealed class CodeTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    private Caller Caller => server.Process.Dev;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Caller));

    [Theory] // CC7
    [InlineData(-2, false)]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public async Task A_code_counts_one_step_to_either_side_of_now(int offset, bool counts)
    {
        var account = Owner.NewAccount();
        var started = await Caller.EnableAsync(account);
        var step = await Authenticator.StepWithRoomAsync();
        var code = await new Authenticator(started.Secret).CodeAsync(step + offset);

        var reply = await Caller.VerifyAsync(account, code, started.EnrollmentId);

        Assert.Equal((counts ? Verdict.Accepted : Verdict.Rejected, counts ? 5 : 4), (reply.Verdict, reply.AttemptsRemaining));
        Assert.Equal(counts ? State.Enabled : State.Pending, (await Caller.GetStatusAsync(account)).State);
    }

    [Fact]
    public async Task The_window_is_the_same_for_a_factor_in_force() // CC7
    {
        var step = await Authenticator.StepWithRoomAsync();
        var owner = await Owner.EnrolAsync(Caller, firstStep: step - 1);
        var codes = await owner.App.CodesAsync(step - 2, 5);

        Assert.Equal((Verdict.Rejected, 4), await TryAsync(owner, codes[0]));
        Assert.Equal((Verdict.Rejected, 3), await TryAsync(owner, codes[4]));
        Assert.Equal((Verdict.Accepted, 5), await TryAsync(owner, codes[2]));
        Assert.Equal((Verdict.Accepted, 5), await TryAsync(owner, codes[3]));
    }

    [Fact]
    public async Task A_code_counts_once_whichever_connection_it_comes_from() // RR1, RR5
    {
        var owner = await Owner.EnrolAsync(Caller);
        var elsewhere = server.Process.NewCaller(server.Process.DevKey);

        Assert.Equal((Verdict.Rejected, 4), await TryAsync(owner, owner.UsedCode));
        Assert.Equal((Verdict.Accepted, 5), await TryAsync(owner, owner.NextCode));
        Assert.Equal((Verdict.Rejected, 4), await TryAsync(owner, owner.NextCode));

        Assert.Equal(Verdict.Rejected, (await elsewhere.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task An_older_code_does_not_count_after_a_newer_one() // RR4
    {
        var step = await Authenticator.StepWithRoomAsync();
        var owner = await Owner.EnrolAsync(Caller, firstStep: step - 1);

        Assert.Equal((Verdict.Accepted, 5), await TryAsync(owner, owner.LaterCode));
        Assert.Equal((Verdict.Rejected, 4), await TryAsync(owner, owner.NextCode));
    }

    [Fact]
    public async Task Anothers_code_is_refused_and_counts_against_the_account_it_was_tried_on() // CC10
    {
        var (owner, other) = (await Owner.EnrolAsync(Caller), await Owner.EnrolAsync(Caller));

        Assert.Equal((Verdict.Rejected, 4), await TryAsync(other, owner.NextCode));
        Assert.Equal((Verdict.Rejected, 4), await TryAsync(owner, await owner.App.WrongCodeAsync())); // its first
        Assert.Equal((Verdict.Accepted, 5), await TryAsync(owner, owner.NextCode));
    }

    [Fact]
    public async Task The_account_is_told_apart_by_case()
    {
        var owner = await Owner.EnrolAsync(Caller);

        await Refused.AsNotEnabledAsync(() => Caller.VerifyAsync(owner.Account.ToUpperInvariant(), owner.NextCode));

        Assert.Equal((Verdict.Accepted, 5), await TryAsync(owner, owner.NextCode));
    }

    [Fact]
    public async Task A_code_with_leading_zeros_counts_and_less_its_zeros_it_is_no_code() // CC5
    {
        // One code in ten has one; 400 without happen to nobody.
        for (var i = 0; i < 400; i++)
        {
            var account = Owner.NewAccount();
            var started = await Caller.EnableAsync(account);
            var code = (await new Authenticator(started.Secret).CodesAsync(Authenticator.Step, 2)).FirstOrDefault(c => c[0] == '0');
            if (code is null) continue;

            await Refused.ForFieldAsync("code", () => Caller.VerifyAsync(account, code.TrimStart('0'), started.EnrollmentId));
            Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(account, code, started.EnrollmentId)).Verdict);
            return;
        }

        Assert.Fail("No code began with a zero.");
    }

    private async Task<(Verdict Verdict, int AttemptsRemaining)> TryAsync(Owner owner, string code)
    {
        var reply = await Caller.VerifyAsync(owner.Account, code);
        return (reply.Verdict, reply.AttemptsRemaining);
    }
}
