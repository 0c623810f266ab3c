namespace Mfa.Server.Domain;

/// <summary>How many wrong codes in a row are allowed (NIST SP 800-63B §3.2.2).</summary>
/// <param name="Run">Wrong codes in a row until a lock; again so many until the next, longer one.</param>
/// <param name="FirstLock">The first lock. Every further one is twice as long.</param>
/// <param name="LongestLock">Where the doubling stops. A lock always ends by itself.</param>
/// <param name="Cap">Wrong codes in a row after which the factor is blocked for good; null for never.</param>
internal sealed record GuessPolicy(int Run, TimeSpan FirstLock, TimeSpan LongestLock, int? Cap);

/// <summary>
/// The wrong codes in a row of one kind of code. Only a right code of that kind starts it over: no new message, no
/// password, no other server and no restart does.
/// </summary>
internal readonly record struct GuessBudget(int Failures, DateTimeOffset? LockedUntil)
{
    public bool IsBlocked(GuessPolicy policy) => Failures >= policy.Cap;

    public bool IsLocked(DateTimeOffset now) => LockedUntil > now;

    public GuessBudget AfterWrong(GuessPolicy policy, DateTimeOffset now)
    {
        var failures = Failures + 1;
        return failures % policy.Run == 0
            ? new GuessBudget(failures, now + LockAfter(failures / policy.Run, policy))
            : new GuessBudget(failures, LockedUntil: null);
    }

    /// <summary>Wrong codes that are still looked at before the next lock or the cap.</summary>
    public int Remaining(GuessPolicy policy, DateTimeOffset now)
    {
        if (IsBlocked(policy) || IsLocked(now)) return 0;
        var untilLock = policy.Run - Failures % policy.Run;
        return policy.Cap is { } cap ? Math.Min(untilLock, cap - Failures) : untilLock;
    }

    private static TimeSpan LockAfter(int runs, GuessPolicy policy)
    {
        var doublings = Math.Min(runs - 1, 20); // 2^20 times any first lock is past every longest lock
        var length = policy.FirstLock * (1 << doublings);
        return length < policy.LongestLock ? length : policy.LongestLock;
    }
}

/// <summary>The budgets of an account. Each kind of code has its own, so that nobody can use one up through another.</summary>
/// <param name="Factor">Codes of the factor in force.</param>
/// <param name="Enrollment">Codes that should finish an enrollment. Outlives the enrollment: a new one gives no new guesses.</param>
/// <param name="Recovery">Recovery codes.</param>
internal sealed record GuessPolicies(GuessPolicy Factor, GuessPolicy Enrollment, GuessPolicy Recovery);
