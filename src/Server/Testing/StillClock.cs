namespace Mfa.Server.Testing;

/// <summary>
/// The clock of `serve --dev --test-clock`: it stands still, and moves forward when it is told to. Only what is told of time goes
/// by it; background work still wakes up by the machine's timers. It begins at the machine's time, amid a time step of 30 s.
/// </summary>
internal sealed class StillClock : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly DateTimeOffset _start;
    private DateTimeOffset _now;

    public StillClock(TimeProvider system)
    {
        var seconds = system.GetUtcNow().ToUnixTimeSeconds();
        _start = _now = DateTimeOffset.FromUnixTimeSeconds(seconds - seconds % 30 + 15);
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _now;
    }

    public override long GetTimestamp() => (GetUtcNow() - _start).Ticks;

    public DateTimeOffset Advance(TimeSpan by)
    {
        lock (_lock) return _now += by;
    }
}
