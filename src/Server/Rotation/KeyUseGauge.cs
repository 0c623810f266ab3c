using System.Diagnostics.Metrics;
using Mfa.Server.Observability;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>How many values each ring key protects, counted now and then: it takes a look at every row.</summary>
internal sealed class KeyUseGauge(IStore store, TelemetryOptions options, Meters meters, TimeProvider clock, ILogger<KeyUseGauge> log) : BackgroundService
{
    private static readonly TimeSpan FirstAfter = TimeSpan.FromMinutes(1);

    private List<KeyUse> _last = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        meters.Gauge("mfa.keys.rows", "{row}", "Values that need a ring key, by key id and kind, as last counted.", () => _last.Select(use => new Measurement<long>(
            use.Count, KeyValuePair.Create<string, object?>("key", $"{use.KeyId:x8}"), KeyValuePair.Create<string, object?>("kind", use.Kind))));
        await Task.Delay(options.CountEvery < FirstAfter ? options.CountEvery : FirstAfter, clock, stoppingToken);
        using var timer = new PeriodicTimer(options.CountEvery, clock);
        do
        {
            try
            {
                _last = await Task.Run(() => KeyUses.Count(store), stoppingToken);
            }
            catch (StoreUnavailableException why)
            {
                log.NotCounted(why);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
