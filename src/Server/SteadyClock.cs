namespace Mfa.Server;

/// <summary>
/// The time that everything but authenticator codes goes by: the system's, but never earlier than it was. When the system
/// clock is set back, time goes on from where it stood, by the clock that nobody sets: what has expired stays expired and a
/// lock does not become longer. When it is set forward, time follows, because a machine that slept does the same.
/// </summary>
internal sealed class SteadyClock : TimeProvider
{
    /// <summary>Clocks are corrected by fractions of a second all the time; more than this is news.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(2);

    /// <summary>A step forward that is worth a look. The sweeper reads the clock every minute, so it is no pause in the work.</summary>
    public static readonly TimeSpan Jump = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly Lock _lock = new();
    private readonly TimeProvider _system;
    private DateTimeOffset _latest;
    private long _latestStamp;
    private TimeSpan _behind;
    private ClockJump? _jump;

    /// <param name="system">The clock of the machine.</param>
    /// <param name="mark">The latest time at which anything was saved: time begins no earlier, also after a restart.</param>
    public SteadyClock(TimeProvider system, DateTimeOffset mark)
    {
        _system = system;
        var now = system.GetUtcNow();
        Pause = now > mark && mark > DateTimeOffset.UnixEpoch ? now - mark : TimeSpan.Zero; // a new database has no mark yet
        (_latest, _latestStamp) = (now > mark ? now : mark, system.GetTimestamp());
    }

    /// <summary>How long before the start anything was saved last.</summary>
    public TimeSpan Pause { get; }

    /// <summary>How far the system clock was behind when it was last looked at.</summary>
    public TimeSpan Behind
    {
        get
        {
            lock (_lock) return _behind;
        }
    }

    /// <summary>The last jump forward since the start; null when there was none.</summary>
    public ClockJump? LastJump
    {
        get
        {
            lock (_lock) return _jump;
        }
    }

    public override TimeZoneInfo LocalTimeZone => _system.LocalTimeZone;

    public override long TimestampFrequency => _system.TimestampFrequency;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            var (now, stamp) = Look();
            var elapsed = _system.GetElapsedTime(_latestStamp, stamp);
            var expected = elapsed > TimeSpan.Zero ? _latest + elapsed : _latest;
            if (now < expected)
            {
                _behind = expected - now;
                return expected;
            }

            if (now - expected > Jump) _jump = new ClockJump(expected, now);
            (_latest, _latestStamp, _behind) = (now, stamp, TimeSpan.Zero);
            return now;
        }
    }

    /// <summary>
    /// What the system clock says at a moment of this one. Authenticator codes are checked at it, because apps go by the world's
    /// time and a clock that was set back was probably set right; single use does not hang on it.
    /// </summary>
    public DateTimeOffset SystemTimeAt(DateTimeOffset moment) => moment - Behind;

    /// <summary>Both clocks at one moment: a thread that had to wait between them would take its wait for a step of the system's.</summary>
    private (DateTimeOffset Now, long Stamp) Look()
    {
        while (true)
        {
            var before = _system.GetTimestamp();
            var now = _system.GetUtcNow();
            var after = _system.GetTimestamp();
            if (_system.GetElapsedTime(before, after) < Moment) return (now, after);
        }
    }

    public override long GetTimestamp() => _system.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        _system.CreateTimer(callback, state, dueTime, period);
}

/// <summary>A step forward of the clock that the time that passed does not explain.</summary>
internal sealed record ClockJump(DateTimeOffset From, DateTimeOffset To);
