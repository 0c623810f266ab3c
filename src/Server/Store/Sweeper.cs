using Mfa.Server.Observability;

namespace Mfa.Server.Store;

/// <summary>Clears away what has expired. Nothing depends on it for being right: expired rows are not looked at.</summary>
internal sealed class Sweeper(IStore store, TimeProvider clock, ILogger<Sweeper> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await SweepAsync();
    }

    public async Task SweepAsync()
    {
        try
        {
            var now = clock.GetUtcNow();
            var (enrollments, answers, messages) = await store.WriteAsync(session => (
                AccountRows.RemoveExpiredEnrollments(session, now),
                AnswerRows.RemoveExpired(session, now),
                OutboxRows.RemoveOld(session, now) + SendCountRows.RemoveOld(session, now)));
            if (enrollments + answers + messages > 0) log.Swept(enrollments, answers, messages);
        }
        catch (StoreUnavailableException why)
        {
            log.SweepFailed(why);
        }
    }
}
