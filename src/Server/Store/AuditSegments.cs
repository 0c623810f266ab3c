namespace Mfa.Server.Store;

/// <summary>
/// The finding aid of the trail, one full segment of 4,096 rows at a time. Made in the background: kept up with every row, it
/// would cost as much as the rows themselves.
/// </summary>
internal static class AuditSegments
{
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
        return true;
    }

    /// <summary>The first segment that has no entries, and whose rows are looked through one by one.</summary>
    public static long NextSegment(Session session)
    {
        var row = session.Statement("SELECT max(segment) FROM audit_segments");
        row.Step();
        long? last = row.IsNull(0) ? null : row.Long(0);
        row.Reset();
        if (last is { } known) return known + 1;
        return Of(AuditRows.OldestSeq(session));
    }

    public static void RemoveBefore(Session session, long seq)
    {
        var rows = session.Statement("DELETE FROM audit_segments WHERE segment < ?1");
        rows.Bind(1, Of(seq));
        rows.Step();
    }
}
