using Mfa.Torture.History;

namespace Mfa.Torture.Checking;

internal enum Tried
{
    Wrong = 0,
    Accepted,
    Locked,
}

/// <param name="Budget">The budget it was tried under, as it is afterwards.</param>
/// <param name="Attempts">What attempts_remaining says.</param>
internal readonly record struct Guess(Tried Tried, Budget Budget, int Attempts, AccountState Next);

/// <summary>
/// All that may come of one submitted code, by the contract's rules 2, 4 and 6. More than one thing may, where it depends on a
/// moment that the caller cannot know exactly.
/// </summary>
internal sealed class Guessing(Rules rules)
{
    private static readonly TimeSpan RecoveryLock = TimeSpan.FromMinutes(1);

    private const int RecoveryRun = 5;

    /// <param name="told">A lock's end that the answer told, which is exact.</param>
    public IEnumerable<Guess> AtFactor(AccountState state, Enrolled factor, Submitted what, Moments now, long? told)
    {
        if (what.Kind != SubmittedKind.Recovery)
        {
            return At(factor, what, state.FactorGuesses, rules.Cap, now, told,
                (budget, used) => state with { Factor = used, FactorGuesses = budget });
        }

        return AtRecovery(state, factor, what, now, told);
    }

    public IEnumerable<Guess> AtPending(AccountState state, Enrolled pending, Submitted what, Moments now, long? told) =>
        At(pending, what, state.EnrollmentGuesses, int.MaxValue, now, told, (budget, used) => budget == Budget.Fresh
            ? new AccountState { Factor = used with { Expires = Span.Never } } // proven: fresh budgets, no token
            : state with { Pending = used, EnrollmentGuesses = budget });

    private IEnumerable<Guess> At(
        Enrolled subject, Submitted what, Budget budget, int cap, Moments now, long? told, Func<Budget, Enrolled, AccountState> next)
    {
        if (budget.Failures >= cap)
        {
            yield return new(Tried.Locked, budget, 0, next(budget, subject));
            yield break;
        }

        if (budget.LockedUntil is { } until)
        {
            if (until.MayBeAhead(now)) yield return new(Tried.Locked, budget, 0, next(budget, subject));
            if (!until.MayBeOver(now)) yield break;
        }

        var (mayMatch, mayMiss) = Compare(subject, what, now);
        if (mayMatch)
        {
            var used = subject.Sends ? subject with { Open = null } : subject with { LastStep = what.Number };
            yield return new(Tried.Accepted, Budget.Fresh, Math.Min(rules.Run, cap), next(Budget.Fresh, used));
        }

        if (mayMiss)
        {
            var poorer = AfterWrong(budget, rules.Run, Lock(budget.Failures + 1), now, told);
            var tried = subject with { Open = subject.Open is { Tries: < 4 } open ? open with { Tries = open.Tries + 1 } : null };
            yield return new(Tried.Wrong, poorer, Attempts(poorer, rules.Run, cap), next(poorer, tried));
        }
    }

    private static IEnumerable<Guess> AtRecovery(AccountState state, Enrolled factor, Submitted what, Moments now, long? told)
    {
        var budget = state.RecoveryGuesses;
        if (budget.LockedUntil is { } until)
        {
            if (until.MayBeAhead(now)) yield return new(Tried.Locked, budget, 0, state);
            if (!until.MayBeOver(now)) yield break;
        }

        var bit = 1 << (int)what.Number;
        if (what.Of == factor.Set && (factor.Used & bit) == 0)
        {
            var used = state with { Factor = factor with { Used = factor.Used | bit }, RecoveryGuesses = Budget.Fresh };
            yield return new(Tried.Accepted, Budget.Fresh, RecoveryRun, used);
        }
        else
        {
            var poorer = AfterWrong(budget, RecoveryRun, RecoveryLock, now, told);
            yield return new(Tried.Wrong, poorer, Attempts(poorer, RecoveryRun, int.MaxValue), state with { RecoveryGuesses = poorer });
        }
    }

    private (bool MayMatch, bool MayMiss) Compare(Enrolled subject, Submitted what, Moments now)
    {
        if (subject.Sends)
        {
            if (what.Kind != SubmittedKind.Sent || subject.Open is not { } open || open.Request != what.Of) return (false, true);
            return (open.Expires.MayBeAhead(now), open.Expires.MayBeOver(now));
        }

        if (what.Kind != SubmittedKind.Step || what.Of != subject.Id || what.Number <= subject.LastStep) return (false, true);
        var (first, last) = (Step(now.System.First), Step(now.System.Last)); // apps go by the world's time
        var mayMatch = what.Number >= first - rules.ToleranceSteps && what.Number <= last + rules.ToleranceSteps;
        var mayMiss = what.Number < last - rules.ToleranceSteps || what.Number > first + rules.ToleranceSteps;
        return (mayMatch, mayMiss);
    }

    private static Budget AfterWrong(Budget budget, int run, TimeSpan length, Moments now, long? told)
    {
        var failures = budget.Failures + 1;
        if (failures % run != 0) return new Budget(failures, null);
        var until = now.Plus(length);
        return new Budget(failures, told is { } t && t >= until.First && t <= until.Last ? new Span(t, t) : until);
    }

    private TimeSpan Lock(int failures)
    {
        var length = rules.FirstLock * Math.Pow(2, Math.Min(failures / rules.Run - 1, 20));
        return length < rules.LongestLock ? length : rules.LongestLock;
    }

    private static int Attempts(Budget budget, int run, int cap) =>
        budget.LockedUntil is not null || budget.Failures >= cap ? 0 : Math.Min(run - budget.Failures % run, cap - budget.Failures);

    private long Step(long milliseconds) => milliseconds / 1000 / rules.PeriodSeconds;
}
