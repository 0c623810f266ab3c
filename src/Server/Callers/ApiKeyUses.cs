using Mfa.Server.Observability;
using Mfa.Server.Store;

namespace Mfa.Server.Callers;

/// <summary>Notes once a minute, and at the end, which API keys were used. What a crash loses is a minute of that.</summary>
internal sealed class ApiKeyUses(ApiKeys keys, TimeProvider clock, ILogger<ApiKeyUses> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await SaveAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await SaveAsync();
    }

    private async Task SaveAsync()
    {
        try
        {
            await keys.SaveUsesAsync();
        }
        catch (StoreUnavailableException why)
        {
            log.UsesNotSaved(why);
        }
    }
}
