using Mfa.Server.Domain;

namespace Mfa.Server.Store;

/// <summary>The audit table, as statements on a session.</summary>
internal static class AuditRows
{
    /// <summary>Rows are found by account one segment at a time. The finding aid holds this number: never change it.</summary>
    public const int SegmentBits = 12;

    // A row that somebody put where the next one goes is no row of ours, and must not keep it out.
    private const string Insert = """
        INSERT OR REPLACE INTO audit (seq, time, act, outcome, reason, factor, calls, account_key, tenant, account, caller, peer, reference, detail, hash)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
        """;

    private const string Walk = """
        SELECT seq, time, act, outcome, reason, factor, calls, account_key, tenant, account, caller, peer, reference, detail, hash
        FROM audit WHERE seq > ?1 ORDER BY seq
        """;

    /// <summary>Appends a row; <paramref name="hash"/> is the one before it, and is the row's own afterwards.</summary>
    public static void Append(Session session, AuditChain chain, long seq, AuditEntry entry, Span<byte> hash)
    {
        var row = session.Statement(Insert);
        chain.Start(hash);
        row.Bind(1, chain.Add(seq));
        row.Bind(2, chain.Add(entry.Time.ToUnixTimeMilliseconds()));
        row.Bind(3, chain.Add((long)entry.Act));
        row.Bind(4, chain.Add((long)entry.Outcome));
        row.Bind(5, chain.Add((long)entry.Reason));
        row.Bind(6, chain.Add((long)entry.Factor));
        row.Bind(7, chain.Add(entry.Calls));
        row.Bind(8, chain.Add(entry.AccountDigest));
        row.BindText(9, chain.Add(entry.Account.Tenant));
        row.BindText(10, chain.Add(entry.Account.Account));
        row.BindText(11, chain.Add(entry.By.Id));
        row.BindText(12, chain.Add(entry.By.Peer));
        if (entry.Reference is { } reference)
        {
            Span<byte> bytes = stackalloc byte[16];
            reference.TryWriteBytes(bytes, bigEndian: true, out _);
            chain.Add(bytes);
            row.BindBytes(13, bytes);
        }
        else
        {
            chain.AddNothing();
            row.BindNull(13);
        }

        row.BindText(14, chain.Add(entry.Detail));
        chain.Finish(hash);
        row.BindBytes(15, hash);
        row.Step();
    }

    /// <summary>All rows after one, to be read with <see cref="HashOf"/> and by column.</summary>
    public static Statement From(Session session, long after)
    {
        var rows = session.Statement(Walk);
        rows.Bind(1, after);
        return rows;
    }

    /// <summary>What the hash of the row that was read must be, after <paramref name="hash"/>.</summary>
    public static void HashOf(Statement row, AuditChain chain, Span<byte> hash)
    {
        chain.Start(hash);
        for (var i = 0; i <= 7; i++) chain.Add(row.Long(i));
        for (var i = 8; i <= 11; i++) chain.Add(row.Bytes(i));
        if (row.IsNull(12)) chain.AddNothing();
        else chain.Add(row.Bytes(12));
        chain.Add(row.Bytes(13));
        chain.Finish(hash);
    }

    public static byte[]? HashAt(Session session, long seq)
    {
        var row = session.Statement("SELECT hash FROM audit WHERE seq = ?1");
        row.Bind(1, seq);
        var hash = row.Step() ? row.Bytes(0).ToArray() : null;
        row.Reset();
        return hash;
    }

    public static long NewestSeq(Session session) => Number(session, "SELECT coalesce(max(seq), 0) FROM audit");

    public static long OldestSeq(Session session) => Number(session, "SELECT coalesce(min(seq), 0) FROM audit");

    public static void RemoveUpTo(Session session, long seq)
    {
        var rows = session.Statement("DELETE FROM audit WHERE seq <= ?1");
        rows.Bind(1, seq);
        rows.Step();
    }

    private static long Number(Session session, string sql)
    {
        var row = session.Statement(sql);
        row.Step();
        var number = row.Long(0);
        row.Reset();
        return number;
    }
}
