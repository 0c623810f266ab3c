using System.Buffers.Binary;

namespace Mfa.Server.Store;

/// <summary>
/// The finding aid of the trail, one full segment of 4,096 rows at a time. Made in the background: kept up with every row, it
/// would cost as much as the rows themselves.
/// </summary>
internal static class AuditSegments
{
    private const int Rows = 1 << AuditRows.SegmentBits;

    public static long Of(long seq) => seq >> AuditRows.SegmentBits;

    public static long FirstSeq(long segment) => segment << AuditRows.SegmentBits;

    /// <returns>False when no further segment is full.</returns>
    public static bool AddNext(Session session)
    {
        var next = NextSegment(session);
        if (FirstSeq(next + 1) > AuditRows.NewestSeq(session)) return false;
        var rows = session.Statement("""
            INSERT OR REPLACE INTO audit_segments (segment, tenant, caller, outcome, first_time, last_time)
            SELECT ?1, tenant, caller, outcome, min(time), max(time) FROM audit WHERE seq BETWEEN ?2 AND ?3 GROUP BY tenant, caller, outcome
            """);
        rows.Bind(1, next);
        rows.Bind(2, FirstSeq(next));
        rows.Bind(3, FirstSeq(next + 1) - 1);
        rows.Step();
        AddKeys(session, next);
        return true;
    }

    /// <summary>The first segment that has no entries, and whose rows are looked through one by one.</summary>
    public static long NextSegment(Session session)
    {
        var row = session.Statement("SELECT max(segment) FROM audit_account_keys");
        row.Step();
        long? last = row.IsNull(0) ? null : row.Long(0);
        row.Reset();
        if (last is { } known) return known + 1;
        return Of(AuditRows.OldestSeq(session));
    }

    /// <summary>The rows with an account's key, newest first; those of a full segment are known without a look at them.</summary>
    public static IEnumerable<long> WithKey(Session session, uint key)
    {
        var listed = session.Statement("SELECT segment, keys FROM audit_account_keys ORDER BY segment DESC");
        try
        {
            while (listed.Step())
            {
                foreach (var seq in Positions(listed.Bytes(1), key).ConvertAll(at => FirstSeq(listed.Long(0)) + at)) yield return seq;
            }
        }
        finally
        {
            listed.Reset();
        }
    }

    public static void RemoveBefore(Session session, long seq)
    {
        foreach (var table in (ReadOnlySpan<string>)["audit_segments", "audit_account_keys"])
        {
            var rows = session.Statement($"DELETE FROM {table} WHERE segment < ?1");
            rows.Bind(1, Of(seq));
            rows.Step();
        }
    }

    private static void AddKeys(Session session, long segment)
    {
        var first = FirstSeq(segment);
        var keys = new byte[Rows * sizeof(uint)];
        var rows = session.Statement("SELECT seq, account_key FROM audit WHERE seq BETWEEN ?1 AND ?2");
        rows.Bind(1, first);
        rows.Bind(2, first + Rows - 1);
        while (rows.Step()) BinaryPrimitives.WriteUInt32LittleEndian(keys.AsSpan((int)(rows.Long(0) - first) * sizeof(uint)), (uint)rows.Long(1));
        var list = session.Statement("INSERT OR REPLACE INTO audit_account_keys (segment, keys) VALUES (?1, ?2)");
        list.Bind(1, segment);
        list.BindBytes(2, keys);
        list.Step();
    }

    private static List<int> Positions(ReadOnlySpan<byte> keys, uint key)
    {
        var found = new List<int>();
        for (var at = keys.Length / sizeof(uint) - 1; at >= 0; at--)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(keys[(at * sizeof(uint))..]) == key) found.Add(at);
        }

        return found;
    }
}
