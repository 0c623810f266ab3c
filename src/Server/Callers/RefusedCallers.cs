using System.Net;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Mfa.Server.Store;

namespace Mfa.Server.Callers;

/// <summary>
/// Puts refused callers on record, but lets nobody fill the disk by being refused: of one address and reason so many rows a
/// second, of all addresses together ten times as many. The rest is counted, and the count is a row once the second is over.
/// </summary>
internal sealed class RefusedCallers(IStore store, AuditOptions options, TimeProvider clock, ILogger<RefusedCallers> log) : BackgroundService
{
    private const int AllAddresses = 10;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<(AuditReason, string), Count> _counts = [];

    /// <summary>As it is printed; an IPv4 address that came over IPv6 as IPv4.</summary>
    public static string PeerOf(IPAddress? address) =>
        address is null ? "" : (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();

    /// <summary>Returns once the row is durable, or counted. A store that cannot save it makes the refusal no less of one.</summary>
    public async Task RecordAsync(AuditAct act, AuditCaller by, string tenant, AuditReason reason)
    {
        var row = new AuditEntry(clock.GetUtcNow(), act, by, new AccountKey(tenant, "")).Refused(reason);
        if (!Admit(row)) return;
        await SaveAsync(row);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Window, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await FlushAsync();
        }
        finally
        {
            await FlushAsync();
        }
    }

    /// <summary>Begins the next second: tells what was only counted in the last one.</summary>
    public async Task FlushAsync()
    {
        List<AuditEntry> counted;
        lock (_lock)
        {
            counted = [.. _counts.Values.Select(count => count.Rest).OfType<AuditEntry>()];
            _counts.Clear();
        }

        foreach (var row in counted) await SaveAsync(row with { Time = clock.GetUtcNow() });
    }

    /// <returns>Whether it gets a row of its own.</returns>
    private bool Admit(AuditEntry row)
    {
        lock (_lock)
        {
            var all = CountOf(row.Reason, "*");
            if (all.Rows >= AllAddresses * options.RefusedRowsPerSecond)
            {
                // Addresses may be a thousand a second: what is kept of them must be bounded as well.
                all.Add(row with { By = new AuditCaller("", "*"), Act = AuditAct.Call, Account = new AccountKey("", "") });
                return false;
            }

            var own = CountOf(row.Reason, row.By.Peer);
            if (own.Rows >= options.RefusedRowsPerSecond)
            {
                own.Add(row);
                return false;
            }

            own.Rows++;
            all.Rows++;
            return true;
        }
    }

    private Count CountOf(AuditReason reason, string peer)
    {
        if (!_counts.TryGetValue((reason, peer), out var count)) _counts.Add((reason, peer), count = new Count());
        return count;
    }

    private async Task SaveAsync(AuditEntry row)
    {
        try
        {
            await store.AuditAsync(row);
        }
        catch (StoreUnavailableException why)
        {
            log.RefusalNotAudited(why, row.Calls);
        }
    }

    private sealed class Count
    {
        public int Rows { get; set; }

        /// <summary>The first call that got no row of its own, with the number of those that followed it.</summary>
        public AuditEntry? Rest { get; private set; }

        public void Add(AuditEntry row) => Rest = Rest is { } rest ? rest with { Calls = rest.Calls + 1 } : row;
    }
}
