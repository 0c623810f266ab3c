using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests;

/// <summary>Time that is not taken back (ST16).</summary>
public sealed class SteadyClockTests
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly MovedClock _system = new(Noon);

    [Fact]
    public void It_is_the_systems_time_while_that_goes_forward()
    {
        var clock = new SteadyClock(_system, Noon.AddDays(-1));

        _system.Advance(TimeSpan.FromHours(3));

        Assert.Equal(Noon.AddHours(3), clock.GetUtcNow());
        Assert.Equal((TimeSpan.Zero, TimeSpan.FromDays(1)), (clock.Behind, clock.Pause));
        Assert.Null(clock.LastJump);
    }

    [Fact]
    public void Set_back_it_goes_on_from_where_it_stood_until_the_system_has_caught_up()
    {
        var clock = new SteadyClock(_system, Noon);
        clock.GetUtcNow();

        _system.Move(TimeSpan.FromHours(-1));
        Assert.Equal(Noon, clock.GetUtcNow());
        Assert.Equal(TimeSpan.FromHours(1), clock.Behind);
        Assert.Equal(Noon.AddHours(-1), clock.SystemTimeAt(clock.GetUtcNow()));
        _system.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(Noon.AddMinutes(30), clock.GetUtcNow());

        _system.Move(TimeSpan.FromHours(1));
        Assert.Equal((Noon.AddMinutes(30), TimeSpan.Zero), (clock.GetUtcNow(), clock.Behind));
        Assert.Null(clock.LastJump); // it is back where it was expected
    }

    [Fact]
    public void A_restart_does_not_take_time_back()
    {
        var clock = new SteadyClock(_system, mark: Noon.AddDays(1));

        Assert.Equal((Noon.AddDays(1), TimeSpan.FromDays(1)), (clock.GetUtcNow(), clock.Behind));
        _system.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(Noon.AddDays(1).AddSeconds(10), clock.GetUtcNow());
    }

    [Theory]
    [InlineData(300, false)]
    [InlineData(301, true)]
    public void A_jump_forward_is_followed_and_remembered(int seconds, bool noticed)
    {
        var clock = new SteadyClock(_system, Noon);
        _system.Advance(TimeSpan.FromHours(2)); // nobody looked for long: that is no jump
        clock.GetUtcNow();

        _system.Move(TimeSpan.FromSeconds(seconds));

        Assert.Equal(Noon.AddHours(2).AddSeconds(seconds), clock.GetUtcNow());
        Assert.Equal(noticed ? new ClockJump(Noon.AddHours(2), Noon.AddHours(2).AddSeconds(seconds)) : null, clock.LastJump);
    }

    [Fact]
    public void A_thread_that_waits_between_two_clocks_takes_it_for_no_step_of_either()
    {
        var clock = new SteadyClock(_system, Noon);
        _system.WaitOnce = TimeSpan.FromSeconds(5);

        Assert.Equal(Noon.AddSeconds(5), clock.GetUtcNow());
        Assert.Equal(TimeSpan.Zero, clock.Behind);
    }

    [Fact]
    public void A_database_without_a_mark_was_not_silent_since_1970() =>
        Assert.Equal(TimeSpan.Zero, new SteadyClock(_system, DateTimeOffset.UnixEpoch).Pause);
}

/// <summary>A system clock that is set, while the one that nobody sets goes on as it does.</summary>
internal sealed class MovedClock(DateTimeOffset start) : TimeProvider
{
    private readonly FakeTimeProvider _steady = new(start);
    private TimeSpan _moved;

    public override long TimestampFrequency => _steady.TimestampFrequency;

    /// <summary>How long whoever reads the time next has to wait until they can go on.</summary>
    public TimeSpan WaitOnce { get; set; }

    public override DateTimeOffset GetUtcNow()
    {
        var now = _steady.GetUtcNow() + _moved;
        (var wait, WaitOnce) = (WaitOnce, TimeSpan.Zero);
        _steady.Advance(wait);
        return now;
    }

    public override long GetTimestamp() => _steady.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        _steady.CreateTimer(callback, state, dueTime, period);

    /// <summary>Time passes.</summary>
    public void Advance(TimeSpan time) => _steady.Advance(time);

    /// <summary>Somebody sets the clock.</summary>
    public void Move(TimeSpan by) => _moved += by;
}
