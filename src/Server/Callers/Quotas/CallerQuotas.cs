using Mfa.Server.Observability;

namespace Mfa.Server.Callers.Quotas;

/// <summary>Which limit turned a call away, and for how long. The name is for the caller and the operator.</summary>
internal sealed record Limited(string Limit, TimeSpan Wait);

/// <summary>Decides, once the caller is known and before the request is read, whether this caller may have another call now.</summary>
internal sealed class CallerQuotas
{
    /// <summary>Callers at the same time. A caller is idle when its buckets are full again: after a few seconds.</summary>
    private const int MaxCallers = 16_384;

    private readonly BoundedTable<CallerKey, Allowance> _callers;
    private readonly SprayGuard _spray;
    private readonly Meters _meters;
    private readonly ILogger<CallerQuotas> _log;

    public CallerQuotas(QuotaOptions options, SprayGuard spray, TimeProvider clock, Meters meters, ILogger<CallerQuotas> log)
    {
        (_spray, _meters, _log) = (spray, meters, log);
        _callers = new(MaxCallers, key => New(key, options, clock), caller => caller.IsIdle, clock);
    }

    /// <summary>Takes one call.</summary>
    /// <returns>Null when the caller had one left.</returns>
    public Limited? TakeCall(Principal caller)
    {
        var allowance = _callers.Get(CallerKey.Of(caller));
        return Taken(caller, allowance, "calls", allowance.Calls?.Take() ?? TimeSpan.Zero);
    }

    /// <summary>Takes one guess, for a call that submits a code or a token.</summary>
    /// <returns>Null when the caller had one left and is not paused for spraying.</returns>
    public Limited? TakeGuess(Principal caller)
    {
        var allowance = _callers.Get(CallerKey.Of(caller));
        return Taken(caller, allowance, "spray", _spray.WaitOf(caller))
            ?? Taken(caller, allowance, "guesses", allowance.Guesses?.Take() ?? TimeSpan.Zero);
    }

    /// <returns>What each caller has taken since this was asked last.</returns>
    public IEnumerable<TakenCalls> Untold() =>
        from caller in _callers.All
        let taken = new TakenCalls(caller.Key, caller.Value.Calls?.Untold() ?? 0, caller.Value.Guesses?.Untold() ?? 0)
        where taken.Calls + taken.Guesses > 0
        select taken;

    /// <summary>Counts what a caller has taken on another server, so long ago.</summary>
    public void Hear(TakenCalls taken, TimeSpan age)
    {
        var allowance = _callers.Get(taken.Caller);
        allowance.Calls?.Charge(taken.Calls, age);
        allowance.Guesses?.Charge(taken.Guesses, age);
    }

    private Limited? Taken(Principal caller, Allowance allowance, string limit, TimeSpan wait)
    {
        if (wait == TimeSpan.Zero) return null;
        _meters.Limited(limit);
        if (allowance.Refusals.Report() is { } times) _log.CallerLimited(caller.Id, caller.Tenant, limit, times);
        return new Limited(limit, wait);
    }

    private static Allowance New(CallerKey caller, QuotaOptions options, TimeProvider clock)
    {
        var (calls, guesses) = caller.Kind == CallerKind.Person
            ? (options.PersonCalls, options.PersonGuesses)
            : (options.Calls, options.Guesses);
        Bucket? Of(Rate rate) => rate.PerSecond == 0 ? null : new Bucket(rate, clock);
        return new Allowance(Of(calls), Of(guesses), new RefusalTally(clock));
    }

    private sealed record Allowance(Bucket? Calls, Bucket? Guesses, RefusalTally Refusals)
    {
        public bool IsIdle => Calls is not { IsFull: false } && Guesses is not { IsFull: false };
    }
}
