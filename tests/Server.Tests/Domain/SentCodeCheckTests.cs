using Mfa.Server.Domain;
using Mfa.Server.Flows;

namespace Mfa.Server.Tests.Domain;

public sealed class SentCodeCheckTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly GuessPolicies Policies = new GuessOptions().Policies;
    private static readonly SentCode Open = new(Guid.NewGuid(), KeyId: 1, Hash: [1], Now.AddMinutes(5), Tries: 0);
    private static readonly Enrollment Factor = new(
        Guid.NewGuid(), Method.Email, new TotpParameters(OtpAlgorithm.Sha1, 6, 30), Secret: null, LastStep: 0,
        new RecoverySet(Guid.NewGuid(), KeyId: 1, new byte[128], Used: 0), Email: new SealedBytes([1]), OpenCode: Open);

    private static readonly Account Enabled = new(new AccountKey("t", "a")) { Version = 7, InForce = Factor };

    [Fact]
    public void The_right_code_is_accepted_and_gone()
    {
        var result = Check(Enabled, Open.Id, matches: true, Now);

        Assert.Equal(CheckKind.Accepted, result.Kind);
        Assert.Null(result.Next.InForce!.OpenCode);
        Assert.Equal(CheckKind.Stale, Check(result.Next, Open.Id, matches: true, Now).Kind);
        Assert.Equal(CheckKind.Wrong, Check(result.Next, codeId: null, matches: false, Now).Kind);
    }

    [Theory]
    [InlineData(-1, CheckKind.Accepted)]
    [InlineData(0, CheckKind.Expired)]
    public void It_is_good_up_to_its_time_and_not_at_it(int milliseconds, object kind) =>
        Assert.Equal((CheckKind)kind, Check(Enabled, Open.Id, matches: true, Open.ExpireTime.AddMilliseconds(milliseconds)).Kind);

    [Fact]
    public void The_fifth_wrong_try_voids_it_also_when_a_right_recovery_code_or_a_lock_came_between()
    {
        var account = Enabled;
        for (var i = 0; i < 5; i++)
        {
            Assert.NotNull(account.InForce!.OpenCode);
            account = Check(account, Open.Id, matches: false, Now).Next with { FactorGuesses = default };
        }

        Assert.Null(account.InForce!.OpenCode);
    }

    [Fact]
    public void While_locked_neither_the_code_nor_its_tries_are_touched()
    {
        var locked = Enabled with { FactorGuesses = new GuessBudget(5, Now.AddSeconds(1)) };

        Assert.Same(locked, Check(locked, Open.Id, matches: true, Now).Next);
        Assert.Same(locked, Check(locked, Open.Id, matches: false, Now).Next);
    }

    [Fact]
    public void What_was_compared_with_a_code_that_was_replaced_decides_nothing()
    {
        var resent = Enabled with { InForce = Factor with { OpenCode = Open with { Id = Guid.NewGuid() } } };

        Assert.Equal(CheckKind.Stale, Check(resent, Open.Id, matches: true, Now).Kind);
    }

    [Fact]
    public void A_recovery_code_sent_to_finish_an_enrollment_is_a_wrong_code()
    {
        var pending = new Account(new AccountKey("t", "a")) { Pending = Factor, PendingExpireTime = Now.AddMinutes(1) };

        var result = CodeCheck.OfEnrollment(pending, new SentEvidence(Factor.Id, Open.Id, Matches: false), Policies, Now);

        Assert.Equal(CheckKind.Wrong, result.Kind);
        Assert.Equal((1, 1), (result.Next.EnrollmentGuesses.Failures, result.Next.Pending!.OpenCode!.Tries));
    }

    private static CheckResult Check(Account account, Guid? codeId, bool matches, DateTimeOffset now) =>
        CodeCheck.OfFactor(account, new SentEvidence(Factor.Id, codeId, matches), Policies, now);
}
