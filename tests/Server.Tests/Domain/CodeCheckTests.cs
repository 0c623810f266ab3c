using Mfa.Server.Domain;
using Mfa.Server.Flows;

namespace Mfa.Server.Tests.Domain;

public sealed class CodeCheckTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly GuessPolicies Policies = new GuessOptions().Policies;
    private static readonly Enrollment Factor = NewEnrollment(lastStep: 100);
    private static readonly Account Enabled = new(new AccountKey("t", "a")) { Version = 7, InForce = Factor };

    [Fact]
    public void A_later_step_is_accepted_and_used_up()
    {
        var result = CodeCheck.OfFactor(Enabled, new StepEvidence(Factor.Id, 101), Policies, Now);

        Assert.Equal(CheckKind.Accepted, result.Kind);
        Assert.Equal(101, result.Next.InForce!.LastStep);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(99)]
    public void The_last_step_and_earlier_ones_are_used_and_count(long step)
    {
        var result = CodeCheck.OfFactor(Enabled, new StepEvidence(Factor.Id, step), Policies, Now);

        Assert.Equal(CheckKind.Used, result.Kind);
        Assert.Equal(1, result.Next.FactorGuesses.Failures);
        Assert.Equal(100, result.Next.InForce!.LastStep);
    }

    [Theory]
    [InlineData(199, true)]
    [InlineData(200, false)]
    [InlineData(205, false)]
    [InlineData(206, true)]
    public void Steps_that_may_have_been_accepted_under_a_wrong_clock_are_used(long step, bool accepted)
    {
        var account = Enabled with { InForce = Factor with { Spent = new StepRange(200, 205) } };

        var result = CodeCheck.OfFactor(account, new StepEvidence(Factor.Id, step), Policies, Now);

        Assert.Equal(accepted ? CheckKind.Accepted : CheckKind.Used, result.Kind);
    }

    [Fact]
    public void A_wrong_code_counts_and_a_right_one_starts_over()
    {
        var poorer = CodeCheck.OfFactor(Enabled, new StepEvidence(Factor.Id, Step: null), Policies, Now);
        var right = CodeCheck.OfFactor(poorer.Next, new StepEvidence(Factor.Id, 101), Policies, Now);

        Assert.Equal(CheckKind.Wrong, poorer.Kind);
        Assert.Equal(1, poorer.Next.FactorGuesses.Failures);
        Assert.Equal(0, right.Next.FactorGuesses.Failures);
    }

    [Fact]
    public void While_locked_a_right_code_is_neither_accepted_nor_counted_nor_used_up()
    {
        var locked = Enabled with { FactorGuesses = new GuessBudget(5, Now.AddSeconds(1)) };

        var result = CodeCheck.OfFactor(locked, new StepEvidence(Factor.Id, 101), Policies, Now);

        Assert.Equal(CheckKind.Locked, result.Kind);
        Assert.Same(locked, result.Next);
    }

    [Fact]
    public void A_blocked_factor_stays_blocked_after_every_lock()
    {
        var blocked = Enabled with { FactorGuesses = new GuessBudget(100, Now.AddHours(-1)) };

        var result = CodeCheck.OfFactor(blocked, new StepEvidence(Factor.Id, 101), Policies, Now);

        Assert.Equal(CheckKind.Blocked, result.Kind);
        Assert.Same(blocked, result.Next);
    }

    [Fact]
    public void A_recovery_code_works_once_also_while_the_factor_is_blocked_and_clears_only_its_own_count()
    {
        var blocked = Enabled with { FactorGuesses = new GuessBudget(100, Now.AddHours(1)), RecoveryGuesses = new GuessBudget(3, LockedUntil: null) };
        var evidence = new RecoveryEvidence(Factor.Recovery.Id, Position: 2);

        var first = CodeCheck.OfFactor(blocked, evidence, Policies, Now);
        var second = CodeCheck.OfFactor(first.Next, evidence, Policies, Now);

        Assert.Equal(CheckKind.Accepted, first.Kind);
        Assert.Equal(7, first.Next.InForce!.Recovery.Remaining);
        Assert.Equal(0, first.Next.RecoveryGuesses.Failures);
        Assert.Equal(100, first.Next.FactorGuesses.Failures);
        Assert.Equal(CheckKind.Used, second.Kind);
        Assert.Equal(1, second.Next.RecoveryGuesses.Failures);
    }

    [Fact]
    public void Wrong_recovery_codes_lock_only_recovery_codes()
    {
        var account = Enabled;
        for (var i = 0; i < 5; i++)
            account = CodeCheck.OfFactor(account, new RecoveryEvidence(Factor.Recovery.Id, Position: null), Policies, Now).Next;

        Assert.Equal(CheckKind.Locked, CodeCheck.OfFactor(account, new RecoveryEvidence(Factor.Recovery.Id, 0), Policies, Now).Kind);
        Assert.Equal(CheckKind.Accepted, CodeCheck.OfFactor(account, new StepEvidence(Factor.Id, 101), Policies, Now).Kind);
    }

    [Fact]
    public void Evidence_about_a_replaced_enrollment_or_set_decides_nothing()
    {
        Assert.Equal(CheckKind.Stale, CodeCheck.OfFactor(Enabled, new StepEvidence(Guid.NewGuid(), 101), Policies, Now).Kind);
        Assert.Equal(CheckKind.Stale, CodeCheck.OfFactor(Enabled, new RecoveryEvidence(Guid.NewGuid(), 0), Policies, Now).Kind);
        Assert.Equal(CheckKind.Stale, CodeCheck.OfEnrollment(Enabled, new StepEvidence(Guid.NewGuid(), 101), Policies, Now).Kind);
    }

    [Fact]
    public void The_first_code_swaps_the_factor_with_fresh_budgets_and_is_used_up_itself()
    {
        var pending = NewEnrollment(lastStep: 0);
        var account = Enabled with
        {
            Pending = pending,
            PendingExpireTime = Now.AddMinutes(1),
            FactorGuesses = new GuessBudget(100, Now.AddHours(1)),
        };

        var result = CodeCheck.OfEnrollment(account, new StepEvidence(pending.Id, 500), Policies, Now);

        Assert.Equal(CheckKind.Accepted, result.Kind);
        Assert.Equal(pending with { LastStep = 500 }, result.Next.InForce);
        Assert.Null(result.Next.Pending);
        Assert.Equal(Now, result.Next.EnableTime);
        Assert.Equal(default, result.Next.FactorGuesses);
        Assert.Equal(CheckKind.Used, CodeCheck.OfFactor(result.Next, new StepEvidence(pending.Id, 500), Policies, Now).Kind);
    }

    [Fact]
    public void An_enrollment_can_be_proven_up_to_its_time_and_not_at_it()
    {
        var pending = NewEnrollment(lastStep: 0);
        var account = Enabled with { Pending = pending, PendingExpireTime = Now };
        var evidence = new StepEvidence(pending.Id, 500);

        Assert.Equal(CheckKind.Accepted, CodeCheck.OfEnrollment(account, evidence, Policies, Now.AddMilliseconds(-1)).Kind);
        Assert.Equal(CheckKind.Stale, CodeCheck.OfEnrollment(account, evidence, Policies, Now).Kind);
    }

    [Fact]
    public void Wrong_first_codes_count_on_the_account_and_not_against_the_factor_in_force()
    {
        var pending = NewEnrollment(lastStep: 0);
        var account = Enabled with { Pending = pending, PendingExpireTime = Now.AddMinutes(1) };
        for (var i = 0; i < 5; i++)
            account = CodeCheck.OfEnrollment(account, new StepEvidence(pending.Id, Step: null), Policies, Now).Next;
        var another = NewEnrollment(lastStep: 0);
        account = account with { Pending = another };

        Assert.Equal(CheckKind.Locked, CodeCheck.OfEnrollment(account, new StepEvidence(another.Id, 500), Policies, Now).Kind);
        Assert.Equal(0, account.FactorGuesses.Failures);
    }

    private static Enrollment NewEnrollment(long lastStep) => new(
        Guid.NewGuid(), Method.Authenticator, new TotpParameters(OtpAlgorithm.Sha1, 6, 30), new SealedBytes([1]), lastStep,
        new RecoverySet(Guid.NewGuid(), KeyId: 1, new byte[128], Used: 0), Email: null);
}
