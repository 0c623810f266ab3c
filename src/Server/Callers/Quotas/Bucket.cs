namespace Mfa.Server.Callers.Quotas;

/// <summary>
/// Tokens that refill at a rate up to a burst. One number says it all: when the bucket will be full again (the generic cell
/// rate algorithm, ITU-T I.371 annex A). So taking is a compare-and-swap, refilling needs no timer, and a full bucket is
/// worth as much as none. The framework's TokenBucketRateLimiter takes no TimeProvider, holds a lock and allocates a lease.
/// </summary>
internal sealed class Bucket(Rate rate, TimeProvider clock)
{
    /// <summary>Bursts that a bucket can owe for what other servers let through before they heard of each other.</summary>
    private const int MostBursts = 10;

    private readonly long _token = clock.TimestampFrequency / rate.PerSecond;
    private readonly long _size = clock.TimestampFrequency / rate.PerSecond * rate.Burst;
    private long _fullTime;
    private long _untold;

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
            if (Interlocked.CompareExchange(ref _fullTime, next, fullTime) != fullTime) continue;
            Interlocked.Add(ref _untold, tokens);
            return TimeSpan.Zero;
        }
    }

    /// <summary>As <see cref="Take"/>, but takes nothing.</summary>
    public TimeSpan WaitFor(int tokens)
    {
        var now = clock.GetTimestamp();
        var missing = Filling(Volatile.Read(ref _fullTime), now) + tokens * _token - now - _size;
        return missing > 0 ? Time(missing) : TimeSpan.Zero;
    }

    /// <returns>The tokens that were taken since this was asked last.</returns>
    public long Untold() => Interlocked.Exchange(ref _untold, 0);

    /// <summary>
    /// Counts tokens that another server let go. They are gone, so the bucket may come to owe some: nothing is taken from it until
    /// that is paid back.
    /// </summary>
    public void Charge(long tokens, TimeSpan age)
    {
        var now = clock.GetTimestamp();
        var then = now - (long)(age.TotalSeconds * clock.TimestampFrequency);
        var charged = Math.Clamp(tokens, 0, MostBursts * (long)rate.Burst) * _token;
        long fullTime, next;
        do
        {
            fullTime = Volatile.Read(ref _fullTime);
            next = Math.Min(Math.Max(Credible(fullTime, now), then) + charged, now + MostBursts * _size);
        }
        while (Interlocked.CompareExchange(ref _fullTime, next, fullTime) != fullTime);
    }

    private long Filling(long fullTime, long now) => Math.Max(Credible(fullTime, now), now);

    /// <summary>More than it can owe is a time of a clock that went back since: nothing is owed on that.</summary>
    private long Credible(long fullTime, long now) => fullTime - now > MostBursts * _size ? now : fullTime;

    /// <summary>Rounded up: who comes back then must find a token.</summary>
    private TimeSpan Time(long units) => TimeSpan.FromMilliseconds(Math.Ceiling(units * 1000.0 / clock.TimestampFrequency));
}
