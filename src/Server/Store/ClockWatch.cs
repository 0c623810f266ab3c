using Mfa.Server.Observability;

namespace Mfa.Server.Store;

/// <summary>Tells the log, once each time, that the system clock went back, that it is right again, and that it jumped forward.</summary>
internal sealed class ClockWatch(SteadyClock clock, ILogger<ClockWatch> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>A server that was down for longer is rarer than a clock that starts in the wrong year.</summary>
    private static readonly TimeSpan LongPause = TimeSpan.FromDays(7);

    private bool _behind;
    private ClockJump? _told;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Look();
        if (clock.Pause > LongPause) log.LongPause((long)clock.Pause.TotalHours);
        using var timer = new PeriodicTimer(Period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken)) Look();
    }

    private void Look()
    {
        clock.GetUtcNow();
        var behind = clock.Behind;
        if (behind > SteadyClock.Tolerance != _behind)
        {
            _behind = !_behind;
            if (_behind) log.ClockWentBack((long)behind.TotalSeconds);
            else log.ClockIsRight();
        }

        if (clock.LastJump is { } jump && jump != _told)
        {
            _told = jump;
            log.ClockJumped((long)(jump.To - jump.From).TotalSeconds);
        }
    }
}
