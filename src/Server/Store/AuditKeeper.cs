using Mfa.Server.Observability;

namespace Mfa.Server.Store;

/// <summary>
/// Keeps the audit trail in the background: signs a checkpoint every minute that something came in, writes the finding aid, and
/// removes what is older than it has to be.
/// </summary>
internal sealed class AuditKeeper(IStore store, AuditOptions options, TimeProvider clock, ILogger<AuditKeeper> log) : BackgroundService
{
    /// <summary>Rows removed at a time: about 20 ms, for which verdicts wait.</summary>
    private const int MostRemoved = 2_000;

    private const int MostSignedAgain = 500;

    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private uint? _signedWith;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        try
        {
            do
            {
                await KeepAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        finally
        {
            await MarkAsync(); // an orderly stop leaves nothing that no checkpoint covers
        }
    }

    public async Task KeepAsync(CancellationToken ct)
    {
        try
        {
            await MarkAsync();
            await SignAgainAsync(ct);
            while (!ct.IsCancellationRequested && await store.Trail.AddSegmentAsync())
            {
            }

            var before = clock.GetUtcNow() - options.Retention;
            while (!ct.IsCancellationRequested && await store.Trail.RemoveOldAsync(before, MostRemoved))
            {
            }
        }
        catch (StoreUnavailableException why)
        {
            log.SweepFailed(why);
        }
    }

    private async Task MarkAsync()
    {
        try
        {
            var mark = await store.Trail.MarkAsync();
            if (mark.Broken) log.AuditTrailBroken();
            foreach (var checkpoint in mark.Checkpoints) log.AuditCheckpoint(checkpoint.Text);
        }
        catch (StoreUnavailableException why)
        {
            log.SweepFailed(why);
        }
    }

    /// <summary>Once after the start and after every rotation, so that an old key can be removed from the ring.</summary>
    private async Task SignAgainAsync(CancellationToken ct)
    {
        var active = store.ActiveKeyId;
        if (_signedWith == active) return;
        while (!ct.IsCancellationRequested && await store.Trail.SignAgainAsync(MostSignedAgain) > 0)
        {
        }

        _signedWith = active;
    }
}
