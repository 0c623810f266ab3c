using System.Data.Common;
using Mfa.Server.Domain;

namespace Mfa.Server.Store;

/// <summary>
/// Finds rows of the trail, newest first, one segment after the other. Which segments, or for an account which rows, are worth a look
/// is known from the finding aid; newer ones are looked through.
/// </summary>
internal static class AuditSearch
{
    private const string Conditions = """
        AND (@tenant IS NULL OR tenant = @tenant) AND (@caller IS NULL OR caller = @caller) AND (@outcome IS NULL OR outcome = @outcome)
        AND (@since IS NULL OR time >= @since) AND (@until IS NULL OR time < @until) AND (@account IS NULL OR account = @account)
        """;

    private const string Columns =
        "seq, time, act, outcome, reason, factor, calls, tenant, account, caller, peer, reference, detail";

    // The statements are open to a test of their query plans.
    public const string Rows = $"SELECT {Columns} FROM audit WHERE seq BETWEEN @first AND @last {Conditions} ORDER BY seq DESC";

    public const string SegmentsOfCaller = $"""
        SELECT segment FROM audit_segments INDEXED BY audit_segments_caller WHERE caller = @caller {SegmentConditions}
        """;

    public const string SegmentsOfOutcome = $"""
        SELECT segment FROM audit_segments INDEXED BY audit_segments_outcome WHERE outcome = @outcome {SegmentConditions}
        """;

    public const string Segments = $"SELECT segment FROM audit_segments WHERE true {SegmentConditions}";

    private const string SegmentConditions = """
        AND (@tenant IS NULL OR tenant = @tenant) AND (@caller IS NULL OR caller = @caller) AND (@outcome IS NULL OR outcome = @outcome)
        AND (@since IS NULL OR last_time >= @since) AND (@until IS NULL OR first_time < @until) GROUP BY segment ORDER BY segment DESC
        """;

    public static List<AuditRow> Find(Session session, AuditFilter filter, int limit)
    {
        var found = new List<AuditRow>();
        foreach (var (first, last) in WorthALook(session, filter))
        {
            foreach (var row in Between(session, filter, first, last))
            {
                found.Add(row);
                if (found.Count == limit) return found;
            }
        }

        return found;
    }

    /// <summary>The newest segments, which the finding aid does not know yet, and then what that names.</summary>
    private static IEnumerable<(long First, long Last)> WorthALook(Session session, AuditFilter filter)
    {
        var next = AuditSegments.NextSegment(session);
        for (var segment = AuditSegments.Of(AuditRows.NewestSeq(session)); segment >= next; segment--) yield return Whole(segment);

        if (filter.Account is { } account)
        {
            foreach (var seq in AuditSegments.WithKey(session, (uint)account.Digest())) yield return (seq, seq);
            yield break;
        }

        var command = session.Command(filter.Caller is not null ? SegmentsOfCaller : filter.Outcome is not null ? SegmentsOfOutcome : Segments);
        Bind(command, filter);
        using var row = command.ExecuteReader();
        while (row.Read()) yield return Whole(row.GetInt64(0));
    }

    private static (long First, long Last) Whole(long segment) => (AuditSegments.FirstSeq(segment), AuditSegments.FirstSeq(segment + 1) - 1);

    private static IEnumerable<AuditRow> Between(Session session, AuditFilter filter, long first, long last)
    {
        var command = session.Command(Rows);
        Bind(command, filter);
        command.Bind("@first", first);
        command.Bind("@last", last);
        command.Bind("@account", filter.Account?.Account);
        return Read(command);
    }

    private static IEnumerable<AuditRow> Read(DbCommand command)
    {
        using var row = command.ExecuteReader();
        while (row.Read())
        {
            yield return new AuditRow(row.GetInt64(0), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)), (AuditAct)row.GetInt64(2),
                (AuditOutcome)row.GetInt64(3), (AuditReason)row.GetInt64(4), (ProvenBy)row.GetInt64(5), row.GetInt32(6), row.GetString(7),
                row.GetString(8), row.GetString(9), row.GetString(10),
                row.IsDBNull(11) ? null : new Guid(row.GetFieldValue<byte[]>(11), bigEndian: true), row.GetString(12));
        }
    }

    private static void Bind(DbCommand command, AuditFilter filter)
    {
        command.Bind("@tenant", filter.Account?.Tenant ?? filter.Tenant);
        command.Bind("@caller", filter.Caller);
        command.Bind("@outcome", filter.Outcome is { } outcome ? (long)outcome : null);
        command.Bind("@since", filter.Since is { } since ? since.ToUnixTimeMilliseconds() : null);
        command.Bind("@until", filter.Until is { } until ? until.ToUnixTimeMilliseconds() : null);
    }
}
