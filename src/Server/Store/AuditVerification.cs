using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Store;

/// <param name="Seq">The first row that is not as it was left, as near as that can be told.</param>
/// <param name="Chain">The chain of a database that several writers share; 0 where there is one.</param>
internal sealed record AuditDamage(long Seq, string What, long Chain = 0);

/// <param name="Newest">The newest checkpoint: worth keeping elsewhere.</param>
/// <param name="Damage">Empty when the trail is whole.</param>
/// <param name="Chains">How many chains the rows stand in; then First and Last only count them.</param>
internal sealed record AuditReport(
    long First, long Last, int Checkpoints, AuditCheckpoint? Newest, IReadOnlyList<AuditDamage> Damage, int Chains = 1);

/// <summary>
/// Walks the whole trail and holds it against its head, its checkpoints and, when one is given, a checkpoint that was kept
/// elsewhere. Stops at the first row that is not as it was left.
/// </summary>
internal sealed class AuditVerification(Session session, KeyRing ring)
{
    private readonly AuditChain _chain = new();
    private readonly List<AuditDamage> _damage = [];
    private readonly byte[] _hash = new byte[AuditChain.HashBytes];
    private readonly List<(MovedChain End, DateTimeOffset Time)> _moved = [];
    private long _last;
    private bool _outsideMet;

    /// <param name="after">Rows up to this one are taken as they are: their damage is known.</param>
    /// <param name="outside">A checkpoint that was kept elsewhere.</param>
    /// <param name="progress">Told of every 100,000th row.</param>
    public AuditReport Run(long? after, AuditCheckpoint? outside, Action<long> progress)
    {
        session.Execute("BEGIN"); // one snapshot, whatever is written meanwhile
        try
        {
            var head = CheckedHead();
            var checkpoints = CheckedCheckpoints(head);
            var start = Start(head, after);
            var first = start + 1;
            if (Walk(start, checkpoints, outside, progress))
            {
                CheckEnd(head, checkpoints);
                CheckFindingAid(first);
            }

            if (outside is not null) CheckOutside(outside, start, head);
            return new AuditReport(first, _last, checkpoints.Count, checkpoints.LastOrDefault(), [.. _damage.OrderBy(d => d.Seq)]);
        }
        finally
        {
            session.Execute("COMMIT");
        }
    }

    private AuditHead? CheckedHead()
    {
        var head = AuditHead.Find(session, out var mac, out var keyId);
        if (head is null) Add(0, "the head of the trail is missing");
        else if (!head.IsSigned(ring, keyId, mac!)) Add(head.Seq, "the head of the trail was altered");
        else return head;
        return null;
    }

    private List<AuditCheckpoint> CheckedCheckpoints(AuditHead? head)
    {
        var all = AuditCheckpoint.After(session, head?.BaseCheckpoint ?? 0);
        var expected = head?.BaseCheckpoint + 1 ?? all.FirstOrDefault()?.Number;
        foreach (var checkpoint in all)
        {
            if (checkpoint.Number != expected) Add(checkpoint.Seq, $"checkpoint {expected} is missing before it");
            if (!checkpoint.IsSigned(ring)) Add(checkpoint.Seq, $"checkpoint {checkpoint.Number} was altered");
            expected = checkpoint.Number + 1;
        }

        if (head is not null && expected != head.Checkpoint + 1) Add(head.Seq, $"checkpoints {expected} to {head.Checkpoint} do not match the head");
        return all;
    }

    /// <returns>The row before the first one to look at; its hash is what that one is chained to.</returns>
    private long Start(AuditHead? head, long? after)
    {
        var oldest = AuditRows.OldestSeq(session);
        if (head is not null && !(after > head.BaseSeq))
        {
            head.BaseHash.CopyTo(_hash, 0);
            if (oldest <= head.BaseSeq && AuditRows.HashAt(session, oldest) is not null) Add(oldest, "stands before the beginning of the trail");
            return head.BaseSeq;
        }

        // Without a head that can be believed, the first row is: what should stand before it is not known.
        var start = after ?? oldest;
        if (AuditRows.HashAt(session, start) is { Length: AuditChain.HashBytes } hash) hash.CopyTo(_hash, 0);
        else if (after is not null) Add(start, "missing");
        return start;
    }

    /// <returns>False when it stopped at a damaged row.</returns>
    private bool Walk(long start, List<AuditCheckpoint> checkpoints, AuditCheckpoint? outside, Action<long> progress)
    {
        var marks = checkpoints.Where(c => c.Seq > start).GetEnumerator();
        var mark = marks.MoveNext() ? marks.Current : null;
        var marked = start;
        _last = start;
        _outsideMet = outside?.Seq == start && outside.Hash.AsSpan().SequenceEqual(_hash);
        var row = AuditRows.From(session, start);
        try
        {
            while (row.Step())
            {
                var (seq, act) = (row.Long(0), (AuditAct)row.Long(2));
                if (act == AuditAct.TrailBroken) BeginAnew(seq, (AuditReason)row.Long(4));
                else if (seq != _last + 1) return Stop(_last + 1, "missing");
                AuditRows.HashOf(row, _chain, _hash);
                if (!row.Bytes(14).SequenceEqual(_hash))
                    return Stop(seq, "altered, put in or moved, or the row before it was");
                _last = seq;
                for (; mark is not null && mark.Seq == seq; mark = marks.MoveNext() ? marks.Current : null)
                {
                    if (!mark.Hash.AsSpan().SequenceEqual(_hash)) return Stop(marked + 1, $"altered and hashed anew, or one of the rows up to {seq} was");
                    marked = seq;
                }

                if (outside?.Seq == seq) _outsideMet = outside.Hash.AsSpan().SequenceEqual(_hash);
                if (act == AuditAct.Operator && row.Bytes(13).StartsWith(MovedChain.Mark) && MovedChain.Parse(row.Text(13)) is { } moved)
                    _moved.Add((moved, DateTimeOffset.FromUnixTimeMilliseconds(row.Long(1))));
                if (seq % 100_000 == 0) progress(seq);
            }

            return true;
        }
        finally
        {
            row.Reset();
        }
    }

    private void BeginAnew(long seq, AuditReason why)
    {
        Add(seq, $"the server found the end of the trail altered before it wrote this row ({AuditNames.Of(why)})");
        Array.Clear(_hash);
    }

    private void CheckEnd(AuditHead? head, List<AuditCheckpoint> checkpoints)
    {
        if (head is null) return;
        if (_last < head.Seq) Add(_last + 1, $"missing, and all that followed up to {head.Seq}");
        else if (_last > head.Seq) Add(head.Seq + 1, "put in behind the end of the trail");
        else if (!_hash.AsSpan().SequenceEqual(head.Hash))
            Add((checkpoints.LastOrDefault(c => c.Seq <= _last)?.Seq ?? head.BaseSeq) + 1, $"altered and hashed anew, or one of the rows up to {_last} was");
    }

    /// <summary>Entries taken out of the finding aid would hide rows from `audit list`.</summary>
    private void CheckFindingAid(long first)
    {
        var row = session.Statement("""
            SELECT coalesce(min(seq), 0) FROM audit AS a WHERE seq BETWEEN ?1 AND ?2 AND NOT EXISTS (
                SELECT 1 FROM audit_segments AS s WHERE s.segment = a.seq >> 12 AND s.tenant = a.tenant AND s.caller = a.caller
                AND s.outcome = a.outcome AND a.time BETWEEN s.first_time AND s.last_time)
            """);
        row.Bind(1, first);
        row.Bind(2, AuditSegments.FirstSeq(AuditSegments.NextSegment(session)) - 1);
        row.Step();
        var hidden = row.Long(0);
        row.Reset();
        if (hidden > 0) Add(hidden, "the finding aid does not lead to it");
    }

    private void CheckOutside(AuditCheckpoint outside, long start, AuditHead? head)
    {
        if (!outside.IsSigned(ring)) Add(outside.Seq, "the given checkpoint is not one of this key ring");
        else if (_outsideMet || _moved.Exists(moved => moved.End.Seq == outside.Seq && moved.End.Hash.AsSpan().SequenceEqual(outside.Hash))) return;
        else if (_moved.Exists(moved => moved.Time >= outside.Time))
            Add(outside.Seq, "not the end of a chain that was moved here; an earlier checkpoint of before the move can be checked on the database that was left");
        else if (outside.Seq > (head?.Seq ?? _last)) Add(outside.Seq, "missing: the given checkpoint is newer than the end, so the database was put back");
        else if (outside.Seq <= start) Add(outside.Seq, "the given checkpoint is older than the oldest row; give a newer one");
        else if (outside.Seq <= _last) Add(outside.Seq, "not what the given checkpoint says, or one of the rows before it is not");
    }

    private bool Stop(long seq, string what)
    {
        Add(seq, what);
        return false;
    }

    private void Add(long seq, string what) => _damage.Add(new AuditDamage(seq, what));
}
