using Mfa.EndToEnd.Postgres;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Rotation;
using Mfa.Server.Store;
using Mfa.Server.Store.Postgres;
using Mfa.Server.Tests.Protection;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Store;

/// <summary>The chains of a PostgreSQL as the one chain of a file, day after day.</summary>
public sealed class MergedTrailTests(PostgresCluster cluster) : IDisposable
{
    private const int Days = 3;
    private const int RowsADay = 12;

    private static readonly DateTimeOffset Begin = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly KeyRing _ring = Rings.New();
    private readonly FakeTimeProvider _clock = new(Begin);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Rows_stand_by_time_and_grow_old_after_the_move_as_they_did_before()
    {
        var address = await cluster.NewDatabaseAsync();
        await WriteAsync(address);
        var path = _folder.File("mfa.db");
        using (var database = new PostgresDatabase(address))
        using (var source = QuietSource.Hold(database, _ring, _clock.GetUtcNow()))
            new StoreCopyBack(source, path, _ring, (_, _, _) => { }).Fill(detail => Entry("", detail));

        using var store = new SqliteStore(new Database(path), _ring, _clock);
        Assert.Empty(store.Trail.Verify(after: null, outside: null, _ => { }).Damage);
        var rows = store.Trail.Find(new AuditFilter(), 1_000);
        Assert.Equal(rows.Select(row => row.Time).OrderDescending(), rows.Select(row => row.Time));
        Assert.Equal(Enumerable.Range(0, Days * RowsADay).Reverse().Select(i => $"row {i}"),
            rows.Select(row => row.Detail).Where(detail => detail.StartsWith("row", StringComparison.Ordinal)));

        while (await store.Trail.RemoveOldAsync(before: Begin.AddDays(1), most: 1_000))
        {
            // Until nothing is old enough.
        }

        Assert.Equal((Days - 1) * RowsADay, store.Trail.Find(new AuditFilter(), 1_000).Count(row => row.Detail.StartsWith("row", StringComparison.Ordinal)));
        Assert.Empty(store.Trail.Verify(after: null, outside: null, _ => { }).Damage);
    }

    /// <summary>Two servers take turns, each with several chains.</summary>
    private async Task WriteAsync(string address)
    {
        using var first = Open(address);
        using var second = Open(address);
        await first.WriteAsync(session => RingKeyRows.Add(session, _ring.ActiveId, _ring.CheckValue(_ring.ActiveId)));
        for (var i = 0; i < Days * RowsADay; i++)
        {
            if (i > 0 && i % RowsADay == 0) _clock.Advance(TimeSpan.FromDays(1));
            await (i % 2 == 0 ? first : second).AuditAsync(Entry($"account-{i % 7}", $"row {i}"));
            _clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.InRange(first.Read(session => ChainRows.List(session, _ring)).Count(found => found is { Chain: > 0, Head.Seq: > 0 }), 2, 8);
    }

    private PostgresStore Open(string address)
    {
        var database = new PostgresDatabase(address);
        database.Migrate(_ring);
        return new PostgresStore(database, _ring, _clock);
    }

    private AuditEntry Entry(string account, string detail) =>
        new(_clock.GetUtcNow(), AuditAct.Verify, new AuditCaller("service:a"), new AccountKey("default", account)) { Outcome = AuditOutcome.Accepted, Detail = detail };
}
