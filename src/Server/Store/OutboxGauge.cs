using System.Diagnostics.Metrics;
using Mfa.Server.Domain;
using Mfa.Server.Observability;

namespace Mfa.Server.Store;

/// <summary>How many messages wait, and for how long the oldest has. Looked up in the background; only those that wait are read.</summary>
internal sealed class OutboxGauge(IStore store, Meters meters, TimeProvider clock, ILogger<OutboxGauge> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    private static readonly Channel[] Channels = [Channel.Email, Channel.Sms];

    private Dictionary<Channel, (long Count, DateTimeOffset Oldest)> _waiting = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        meters.Gauge("mfa.outbox.messages", "{message}", "Messages that wait to be sent, by channel.",
            () => Channels.Select(channel => Of(channel, _waiting.TryGetValue(channel, out var w) ? w.Count : 0)));
        meters.Gauge("mfa.outbox.age", "s", "For how long the oldest message that waits has been waiting, by channel.",
            () => Channels.Select(channel => Of(channel, _waiting.TryGetValue(channel, out var w) ? Math.Max(0, (long)(clock.GetUtcNow() - w.Oldest).TotalSeconds) : 0)));
        using var timer = new PeriodicTimer(Period, clock);
        do
        {
            try
            {
                _waiting = store.Read(Waiting);
            }
            catch (StoreUnavailableException why)
            {
                log.NotCounted(why);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static Dictionary<Channel, (long, DateTimeOffset)> Waiting(Session session)
    {
        using var row = session.Command("SELECT channel, count(*), min(create_time) FROM outbox WHERE state = 1 GROUP BY channel").ExecuteReader();
        var waiting = new Dictionary<Channel, (long, DateTimeOffset)>();
        while (row.Read()) waiting.Add((Channel)row.GetInt64(0), (row.GetInt64(1), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2))));
        return waiting;
    }

    private static Measurement<long> Of(Channel channel, long value) =>
        new(value, KeyValuePair.Create<string, object?>("channel", channel == Channel.Email ? "email" : "sms"));
}
