using Mfa.Server.Observability;

namespace Mfa.Server.Callers;

/// <summary>Reads the issuers' keys again and again: a new one is known before it is used, and a removed one stops working.</summary>
internal sealed class IssuerKeyRefresh(JwtCallers callers, TimeProvider clock, ILogger<IssuerKeyRefresh> log) : BackgroundService
{
    /// <summary>The first reading comes before the first call. An issuer that does not answer keeps nobody else waiting for long.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(callers.Keys.Select(keys => RefreshAsync(keys, cancellationToken)));
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(callers.Keys.Select(async keys =>
    {
        using var timer = new PeriodicTimer(keys.Period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await RefreshAsync(keys, stoppingToken);
    }));

    private async Task RefreshAsync(IssuerKeySource keys, CancellationToken ct)
    {
        try
        {
            await keys.RefreshAsync(ct);
        }
        catch (IssuerKeysException why)
        {
            log.IssuerKeysNotRead(keys.Issuer, why.Message);
        }
    }
}
