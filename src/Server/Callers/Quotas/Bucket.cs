namespace Mfa.Server.Callers.Quotas;

/// <summary>
/// Tokens that refill at a rate up to a burst. One number says it all: when the bucket will be full again (the generic cell
/// rate algorithm, ITU-T I.371 annex A). So taking is a compare-and-swap, refilling needs no timer, and a full bucket is
/// worth as much as none. The framework's TokenBucketRateLimiter takes no TimeProvider, holds a lock and allocates a lease.
/// </summary>
internal sealed class Bucket(Rate rate, TimeProvider clock)
{
    private readonly long _token = clock.TimestampFrequency / rate.PerSecond;
    private readonly long _size = clock.TimestampFrequency / rate.PerSecond * rate.Burst;
    private long _fullTime;

    public bool IsFull => clock.GetTimestamp() is var now && Filling(Volatile.Read(ref _fullTime), now) == now;

    /// <summary>Takes tokens when there are enough, otherwise none.</summary>
    /// <returns>Zero when they were taken; otherwise the time until there will be enough.</returns>
    public TimeSpan Take(int tokens = 1)
    {
        var now = clock.GetTimestamp();
        while (true)
        {
            var fullTime = Volatile.Read(ref _fullTime);
            var next = Filling(fullTime, now) + tokens * _token;
            if (next - now > _size) return Time(next - now - _size);
            if (Interlocked.CompareExchange(ref _fullTime, next, fullTime) == fullTime) return TimeSpan.Zero;
        }
    }

    /// <summary>As <see cref="Take"/>, but takes nothing.</summary>
    public TimeSpan WaitFor(int tokens)
    {
        var now = clock.GetTimestamp();
        var missing = Filling(Volatile.Read(ref _fullTime), now) + tokens * _token - now - _size;
        return missing > 0 ? Time(missing) : TimeSpan.Zero;
    }

    /// <summary>More than a whole bucket ahead is a time of a clock that went back since: nothing is owed on that.</summary>
    private long Filling(long fullTime, long now) => fullTime - now > _size ? now : Math.Max(fullTime, now);

    /// <summary>Rounded up: who comes back then must find a token.</summary>
    private TimeSpan Time(long units) => TimeSpan.FromMilliseconds(Math.Ceiling(units * 1000.0 / clock.TimestampFrequency));
}
