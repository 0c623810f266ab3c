namespace Mfa.Server.Domain;

/// <summary>
/// What a submitted code matched when it was compared with an account's secrets. Comparing is slow and needs keys, so it
/// is done once, before; deciding on it is arithmetic and can be repeated on a newer state of the account.
/// </summary>
internal abstract record Evidence
{
    /// <summary>What the code would prove, or would have proven.</summary>
    public ProvenBy ProvenBy(Enrollment subject) => this is RecoveryEvidence ? Domain.ProvenBy.RecoveryCode : subject.ProvenBy;
}

/// <summary>Digits, compared with the secret of an enrollment.</summary>
/// <param name="EnrollmentId">The enrollment they were compared with.</param>
/// <param name="Step">The newest time step whose code they are; null when they are of none.</param>
internal sealed record StepEvidence(Guid EnrollmentId, long? Step) : Evidence;

/// <summary>Digits, compared with the code that was sent last.</summary>
/// <param name="EnrollmentId">The enrollment they were compared with.</param>
/// <param name="CodeId">The code they were compared with; null when none was open.</param>
/// <param name="Matches">Whether they are that code.</param>
internal sealed record SentEvidence(Guid EnrollmentId, Guid? CodeId, bool Matches) : Evidence;

/// <summary>A recovery code, compared with the hashes of a set.</summary>
/// <param name="SetId">The set it was compared with.</param>
/// <param name="Position">Which code of the set it is; null when it is none.</param>
internal sealed record RecoveryEvidence(Guid SetId, int? Position) : Evidence;

internal enum CheckKind
{
    /// <summary>No such code. Zero, so that a verdict nobody set refuses.</summary>
    Wrong = 0,

    /// <summary>Right, first use; the returned account has used it up.</summary>
    Accepted,

    /// <summary>It was right once, and was accepted then, or a later one was. Counts as a guess, like a wrong one.</summary>
    Used,

    /// <summary>Too many wrong codes in a row: not looked at, not counted, not used up.</summary>
    Locked,

    /// <summary>The cap was reached: not looked at until the account is enrolled again.</summary>
    Blocked,

    /// <summary>The evidence is about an enrollment or a set that was replaced meanwhile: compare again.</summary>
    Stale,

    /// <summary>It was sent, and its time is over. Counts as a guess, like a wrong one.</summary>
    Expired,
}

/// <param name="Kind">The decision.</param>
/// <param name="Budget">The budget that applied, as it is after the decision.</param>
/// <param name="Policy">The policy of that budget.</param>
/// <param name="Next">The account after the decision. The same instance when nothing changed.</param>
internal readonly record struct CheckResult(CheckKind Kind, GuessBudget Budget, GuessPolicy Policy, Account Next)
{
    /// <summary>Whether this very code shut the door that it was for: until the account is enrolled again (true) or for a time (false); null when not.</summary>
    public bool? Shuts(DateTimeOffset now) =>
        Kind is not (CheckKind.Wrong or CheckKind.Used or CheckKind.Expired) ? null
        : Budget.IsBlocked(Policy) ? true
        : Budget.IsLocked(now) ? false
        : null;
}

/// <summary>
/// Decides whether a code counts: the lock first, then the match, then single use (RFC 6238 §5.2, NIST SP 800-63B §3.1.4.2).
/// Every refusal after the lock counts as a guess. Whoever calls this must save <see cref="CheckResult.Next"/> durably
/// before telling anyone.
/// </summary>
internal static class CodeCheck
{
    /// <summary>Checks a code of the factor in force, or one of its recovery codes.</summary>
    public static CheckResult OfFactor(Account account, Evidence evidence, GuessPolicies policies, DateTimeOffset now) =>
        evidence switch
        {
            StepEvidence or SentEvidence => OfCode(account, evidence, policies.Factor, now),
            RecoveryEvidence recovery => OfRecovery(account, recovery, policies.Recovery, now),
            _ => throw new InvalidOperationException("Unknown evidence."), // unreachable
        };

    /// <summary>
    /// Checks the first code of the pending enrollment; accepting it puts the enrollment in force, with fresh budgets,
    /// in place of whatever was in force before. The code that finished the enrollment is used up like any other.
    /// </summary>
    public static CheckResult OfEnrollment(Account account, Evidence evidence, GuessPolicies policies, DateTimeOffset now)
    {
        var budget = account.EnrollmentGuesses;
        var policy = policies.Enrollment;
        if (account.PendingAt(now) is not { } pending || IsStale(pending, evidence)) return new(CheckKind.Stale, budget, policy, account);
        if (Refusal(budget, policy, now) is { } closed) return new(closed, budget, policy, account);

        var (kind, used) = Try(pending, evidence, now);
        if (kind != CheckKind.Accepted)
        {
            var poorer = budget.AfterWrong(policy, now);
            return new(kind, poorer, policy, account with { Pending = used, EnrollmentGuesses = poorer });
        }

        var proven = account with
        {
            InForce = used,
            Pending = null,
            PendingExpireTime = null,
            EnableTime = now,
            FactorGuesses = default,
            EnrollmentGuesses = default,
            RecoveryGuesses = default,
            DisableToken = null,
        };
        return new(CheckKind.Accepted, default, policy, proven);
    }

    private static CheckResult OfCode(Account account, Evidence evidence, GuessPolicy policy, DateTimeOffset now)
    {
        var budget = account.FactorGuesses;
        if (account.InForce is not { } factor || IsStale(factor, evidence)) return new(CheckKind.Stale, budget, policy, account);
        if (Refusal(budget, policy, now) is { } closed) return new(closed, budget, policy, account);

        var (kind, used) = Try(factor, evidence, now);
        var next = kind == CheckKind.Accepted ? default : budget.AfterWrong(policy, now);
        return new(kind, next, policy, account with { InForce = used, FactorGuesses = next });
    }

    /// <summary>What the code is worth, and the enrollment after it was tried.</summary>
    private static (CheckKind, Enrollment) Try(Enrollment enrollment, Evidence evidence, DateTimeOffset now) => evidence switch
    {
        StepEvidence { Step: { } step } when step > enrollment.LastStep && enrollment.Spent?.Holds(step) != true => (CheckKind.Accepted, enrollment with { LastStep = step }),
        StepEvidence { Step: not null } => (CheckKind.Used, enrollment),
        SentEvidence { Matches: true } when enrollment.OpenCode?.ExpireTime > now => (CheckKind.Accepted, enrollment with { OpenCode = null }),
        SentEvidence { Matches: true } => (CheckKind.Expired, enrollment with { OpenCode = enrollment.OpenCode?.AfterWrong() }),
        SentEvidence => (CheckKind.Wrong, enrollment with { OpenCode = enrollment.OpenCode?.AfterWrong() }),
        _ => (CheckKind.Wrong, enrollment),
    };

    private static bool IsStale(Enrollment enrollment, Evidence evidence) => evidence switch
    {
        StepEvidence step => step.EnrollmentId != enrollment.Id,
        SentEvidence sent => sent.EnrollmentId != enrollment.Id || sent.CodeId != enrollment.OpenCode?.Id,
        _ => false, // a recovery code where none counts: as wrong as any other code
    };

    private static CheckResult OfRecovery(Account account, RecoveryEvidence evidence, GuessPolicy policy, DateTimeOffset now)
    {
        var budget = account.RecoveryGuesses;
        if (account.InForce is not { } factor || factor.Recovery.Id != evidence.SetId)
            return new(CheckKind.Stale, budget, policy, account);
        if (Refusal(budget, policy, now) is { } closed) return new(closed, budget, policy, account);

        if (evidence.Position is { } position && !factor.Recovery.IsUsed(position))
        {
            var used = factor with { Recovery = factor.Recovery.With(position) };
            return new(CheckKind.Accepted, default, policy, account with { InForce = used, RecoveryGuesses = default });
        }

        var poorer = budget.AfterWrong(policy, now);
        var kind = evidence.Position is null ? CheckKind.Wrong : CheckKind.Used;
        return new(kind, poorer, policy, account with { RecoveryGuesses = poorer });
    }

    private static CheckKind? Refusal(GuessBudget budget, GuessPolicy policy, DateTimeOffset now) =>
        budget.IsBlocked(policy) ? CheckKind.Blocked
        : budget.IsLocked(now) ? CheckKind.Locked
        : null;
}
