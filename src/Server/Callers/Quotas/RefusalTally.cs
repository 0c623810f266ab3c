namespace Mfa.Server.Callers.Quotas;

/// <summary>
/// Lets a flood of refusals be told without a line for each, which would fill the disk on the attacker's behalf: the first one
/// at once, then at most one line a minute with the number since.
/// </summary>
internal sealed class RefusalTally(TimeProvider clock)
{
    private readonly long _pause = 60 * clock.TimestampFrequency;
    private long _nextReport;
    private long _untold;

    /// <summary>Counts a refusal.</summary>
    /// <returns>How many there were since the last report; null when it is too early to tell.</returns>
    public long? Report()
    {
        Interlocked.Increment(ref _untold);
        var (now, next) = (clock.GetTimestamp(), Volatile.Read(ref _nextReport));
        return now >= next && Interlocked.CompareExchange(ref _nextReport, now + _pause, next) == next
            ? Interlocked.Exchange(ref _untold, 0)
            : null;
    }
}
