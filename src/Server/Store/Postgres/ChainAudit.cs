using System.Data.Common;
using Mfa.Server.Domain;

namespace Mfa.Server.Store.Postgres;

/// <summary>Where a row stands among those of all chains, by time.</summary>
internal readonly record struct TrailPlace(long Time, long Chain, long Seq)
{
    public const string Order = "time, chain, seq";

    public static readonly TrailPlace Start = new(long.MinValue, 0, 0);

    public static readonly TrailPlace End = new(long.MaxValue, long.MaxValue, long.MaxValue);
}

/// <summary>The audit table, as statements on a session. Rows are hashed as on SQLite: the chain they stand in is no part of them.</summary>
internal static class ChainAudit
{
    private const string Columns =
        "seq, time, act, outcome, reason, factor, calls, account_key, tenant, account, caller, peer, reference, detail, hash";

    /// <summary>How many rows a walk takes at a time: nothing is kept open for minutes.</summary>
    private const int Page = 4_096;

    public static void Hash(AuditChain chain, ReadOnlySpan<byte> previous, long seq, AuditEntry entry, Span<byte> hash)
    {
        chain.Start(previous);
        chain.Add(seq);
        chain.Add(entry.Time.ToUnixTimeMilliseconds());
        chain.Add((long)entry.Act);
        chain.Add((long)entry.Outcome);
        chain.Add((long)entry.Reason);
        chain.Add((long)entry.Factor);
        chain.Add(entry.Calls);
        chain.Add(entry.AccountDigest);
        chain.Add(entry.Account.Tenant);
        chain.Add(entry.Account.Account);
        chain.Add(entry.By.Id);
        chain.Add(entry.By.Peer);
        if (entry.Reference is { } reference) chain.Add(reference.ToByteArray(bigEndian: true));
        else chain.AddNothing();
        chain.Add(entry.Detail);
        chain.Finish(hash);
    }

    public static void Add(Session session, long chain, long seq, AuditEntry entry, byte[] hash)
    {
        var command = session.Command($"""
            INSERT INTO audit (chain, {Columns}) VALUES (@chain, @seq, @time, @act, @outcome, @reason, @factor, @calls, @key, @tenant, @account,
                @caller, @peer, @reference, @detail, @hash)
            """);
        command.Bind("@chain", chain);
        command.Bind("@seq", seq);
        command.Bind("@time", entry.Time.ToUnixTimeMilliseconds());
        command.Bind("@act", (long)entry.Act);
        command.Bind("@outcome", (long)entry.Outcome);
        command.Bind("@reason", (long)entry.Reason);
        command.Bind("@factor", (long)entry.Factor);
        command.Bind("@calls", entry.Calls);
        command.Bind("@key", entry.AccountDigest);
        command.Bind("@tenant", entry.Account.Tenant);
        command.Bind("@account", entry.Account.Account);
        command.Bind("@caller", entry.By.Id);
        command.Bind("@peer", entry.By.Peer);
        command.Bind("@reference", entry.Reference?.ToByteArray(bigEndian: true));
        command.Bind("@detail", entry.Detail);
        command.Bind("@hash", hash);
        command.ExecuteNonQuery();
    }

    public static long NewestSeq(Session session, long chain) => Seq(session, "SELECT coalesce(max(seq), 0) FROM audit WHERE chain = @chain", chain);

    public static long OldestSeq(Session session, long chain) => Seq(session, "SELECT coalesce(min(seq), 0) FROM audit WHERE chain = @chain", chain);

    public static byte[]? HashAt(Session session, long chain, long seq)
    {
        var command = session.Command("SELECT hash FROM audit WHERE chain = @chain AND seq = @seq");
        command.Bind("@chain", chain);
        command.Bind("@seq", seq);
        return command.ExecuteScalar() as byte[];
    }

    public static void RemoveUpTo(Session session, long chain, long seq)
    {
        var command = session.Command("DELETE FROM audit WHERE chain = @chain AND seq <= @seq");
        command.Bind("@chain", chain);
        command.Bind("@seq", seq);
        command.ExecuteNonQuery();
    }

    /// <summary>All rows of a chain after one, with the hash that stands in each.</summary>
    public static IEnumerable<(long Seq, AuditEntry Entry, long AccountKey, byte[] Hash)> After(Session session, long chain, long seq)
    {
        while (true)
        {
            var command = session.Command($"SELECT {Columns} FROM audit WHERE chain = @chain AND seq > @seq ORDER BY seq LIMIT @most");
            command.Bind("@chain", chain);
            command.Bind("@seq", seq);
            command.Bind("@most", Page);
            var page = new List<(long Seq, AuditEntry, long, byte[])>(Page);
            using (var row = command.ExecuteReader())
            {
                while (row.Read()) page.Add((row.GetInt64(0), EntryOf(row), row.GetInt64(7), row.GetFieldValue<byte[]>(14)));
            }

            foreach (var row in page) yield return row;
            if (page.Count < Page) yield break;
            seq = page[^1].Seq;
        }
    }

    /// <summary>Rows of all chains behind one, oldest first; those of one moment by their chains, and then by their numbers.</summary>
    public static List<(TrailPlace Place, AuditEntry Entry)> PageByTime(Session session, TrailPlace after)
    {
        var command = session.Command($"""
            SELECT {Columns}, chain FROM audit WHERE (time, chain, seq) > (@time, @chain, @seq) ORDER BY {TrailPlace.Order} LIMIT @most
            """);
        command.Bind("@time", after.Time);
        command.Bind("@chain", after.Chain);
        command.Bind("@seq", after.Seq);
        command.Bind("@most", Page);
        using var row = command.ExecuteReader();
        var page = new List<(TrailPlace, AuditEntry)>(Page);
        while (row.Read()) page.Add((new TrailPlace(row.GetInt64(1), row.GetInt64(15), row.GetInt64(0)), EntryOf(row)));
        return page;
    }

    /// <summary>The place of a row when all are counted by time.</summary>
    public static TrailPlace PlaceOf(Session session, long count)
    {
        if (count == 0) return TrailPlace.Start;
        var command = session.Command($"SELECT time, chain, seq FROM audit ORDER BY {TrailPlace.Order} LIMIT 1 OFFSET @before");
        command.Bind("@before", count - 1);
        using var row = command.ExecuteReader();
        return row.Read() ? new TrailPlace(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)) : TrailPlace.End; // there were more rows once
    }

    public static List<AuditRow> Find(Session session, AuditFilter filter, int limit)
    {
        // Rows of an account are found by its short hash; those of accounts that share one are told apart by their names.
        var command = session.Command($"""
            SELECT {Columns}, chain FROM audit
            WHERE (@key IS NULL OR account_key = @key) AND (@account IS NULL OR account = @account)
                AND (@tenant IS NULL OR tenant = @tenant) AND (@caller IS NULL OR caller = @caller) AND (@outcome IS NULL OR outcome = @outcome)
                AND (@since IS NULL OR time >= @since) AND (@until IS NULL OR time < @until)
            ORDER BY time DESC, chain DESC, seq DESC LIMIT @limit
            """);
        command.Bind("@key", filter.Account is { } keyed ? keyed.Digest() : null);
        command.Bind("@account", filter.Account?.Account);
        command.Bind("@tenant", filter.Tenant ?? filter.Account?.Tenant);
        command.Bind("@caller", filter.Caller);
        command.Bind("@outcome", (long?)filter.Outcome);
        command.Bind("@since", filter.Since?.ToUnixTimeMilliseconds());
        command.Bind("@until", filter.Until?.ToUnixTimeMilliseconds());
        command.Bind("@limit", limit);
        using var row = command.ExecuteReader();
        var found = new List<AuditRow>();
        while (row.Read())
        {
            var e = EntryOf(row);
            found.Add(new AuditRow(row.GetInt64(0), e.Time, e.Act, e.Outcome, e.Reason, e.Factor, e.Calls, e.Account.Tenant, e.Account.Account,
                e.By.Id, e.By.Peer, e.Reference, e.Detail, row.GetInt64(15)));
        }

        return found;
    }

    private static AuditEntry EntryOf(DbDataReader row) =>
        new(DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)), (AuditAct)row.GetInt64(2), new AuditCaller(row.GetString(10), row.GetString(11)),
            new AccountKey(row.GetString(8), row.GetString(9)))
        {
            Outcome = (AuditOutcome)row.GetInt64(3),
            Reason = (AuditReason)row.GetInt64(4),
            Factor = (ProvenBy)row.GetInt64(5),
            Calls = (int)row.GetInt64(6),
            Reference = row.IsDBNull(12) ? null : new Guid(row.GetFieldValue<byte[]>(12), bigEndian: true),
            Detail = row.GetString(13),
        };

    private static long Seq(Session session, string sql, long chain)
    {
        var command = session.Command(sql);
        command.Bind("@chain", chain);
        return (long)command.ExecuteScalar()!;
    }
}
