using System.Diagnostics;
using Mfa.Server.Callers;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>How far a rewrap has got.</summary>
/// <param name="Total">Rows that were not under the active key when it began.</param>
internal sealed record RewrapProgress(long Done, long Total, bool Waiting);

/// <param name="Unreadable">Rows that do not open, by name: left as they are.</param>
internal sealed record RewrapOutcome(long Done, IReadOnlyList<string> Unreadable);

/// <summary>
/// Puts every row under the active key, beside a running server: a few rows in each transaction, with pauses several times as
/// long as it holds the write lock. Can be stopped and started again at any time, since what is left to do is in the rows.
/// </summary>
internal sealed class Rewrap(IStore store, KeyRing ring, TimeProvider clock)
{
    /// <summary>About 2 ms under the write lock.</summary>
    private const int RowsAtOnce = 64;

    /// <summary>A server that waits for the lock while this holds it gets its turn several times over before the next batch.</summary>
    private const int PauseFactor = 4;

    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(10);

    /// <param name="tell">Called after every batch.</param>
    public async Task<RewrapOutcome> RunAsync(Action<RewrapProgress> tell, CancellationToken ct)
    {
        var total = Tables().Sum(table => table.Left());
        var unreadable = new HashSet<string>(StringComparer.Ordinal);
        var done = 0L;
        long before;
        do
        {
            // Rows that somebody else saved meanwhile, or that came under the old key, are the next round's.
            before = done;
            foreach (var table in Tables())
            {
                while (table.Next(RowsAtOnce) is { Count: > 0 } rows)
                {
                    unreadable.UnionWith(rows.Where(row => row.Save is null).Select(row => row.Name));
                    done += await SaveAsync(rows, () => tell(new RewrapProgress(done, total, Waiting: true)), ct);
                    tell(new RewrapProgress(done, total, Waiting: false));
                }
            }
        }
        while (done > before);

        await store.AuditAsync(Operator.Did($"secrets rewrap: {done} rows under key {ring.ActiveId:x8}", clock.GetUtcNow()));
        return new RewrapOutcome(done, [.. unreadable.Order(StringComparer.Ordinal)]);
    }

    private IResealing[] Tables() =>
    [
        new AccountResealing(store, ring), new UserResealing(store, ring), new OutboxResealing(store, ring), new StandingKeyResealing(store, ring),
        new AuditResealing(store, ring, clock),
    ];

    private async Task<int> SaveAsync(IReadOnlyList<ResealedRow> rows, Action waiting, CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            var watch = Stopwatch.StartNew();
            try
            {
                var saved = await store.WriteAsync(session => rows.Count(row => row.Save?.Invoke(session) == true));
                await Task.Delay(Longer(ShortestPause, watch.Elapsed * PauseFactor), ct);
                return saved;
            }
            catch (StoreUnavailableException why) when (why.IsBusy)
            {
                waiting(); // a busy server goes first; rows that changed meanwhile are not saved over
            }
        }
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
