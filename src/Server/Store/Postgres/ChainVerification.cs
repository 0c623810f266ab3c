using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Store.Postgres;

/// <summary>
/// Walks all chains and holds each against its head, its checkpoints and, when one is given, a checkpoint that was kept
/// elsewhere. Stops in a chain at the first row that is not as it was left.
/// </summary>
internal sealed class ChainVerification(Session session, KeyRing ring)
{
    private readonly AuditChain _hashing = new();
    private readonly List<AuditDamage> _damage = [];
    private readonly byte[] _hash = new byte[AuditChain.HashBytes];
    private AuditCheckpoint? _newest;
    private long _rows;
    private int _checkpoints;
    private bool _outsideMet;

    public AuditReport Run(AuditCheckpoint? outside, Action<long> progress)
    {
        session.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); // one snapshot, whatever is written meanwhile
        try
        {
            return Look(outside, progress);
        }
        finally
        {
            session.Execute("COMMIT");
        }
    }

    /// <summary>The same within a transaction in which nothing changes.</summary>
    public AuditReport Look(AuditCheckpoint? outside, Action<long> progress)
    {
        var heads = ChainRows.List(session, ring);
        CheckRegister(heads);
        foreach (var found in heads.Where(found => found.Chain != ChainRows.Register)) Walk(found, outside, progress);
        if (outside is not null) CheckOutside(outside);
        return new AuditReport(1, _rows, _checkpoints, _newest, _damage, heads.Count - 1);
    }

    private void CheckRegister(List<FoundHead> heads)
    {
        if (heads.Find(found => found.Chain == ChainRows.Register) is not { } register) Add(0, 0, "the register of chains is missing");
        else if (!register.Sound) Add(0, 0, "the register of chains was altered");
        else
        {
            for (var chain = 1L; chain <= register.Head.Seq; chain++)
            {
                if (!heads.Exists(found => found.Chain == chain)) Add(chain, 0, "the whole chain is missing");
            }

            if (heads[^1].Chain > register.Head.Seq) Add(heads[^1].Chain, 0, "not a chain of any server");
        }
    }

    private void Walk(FoundHead found, AuditCheckpoint? outside, Action<long> progress)
    {
        var (chain, head, sound) = found;
        if (!sound) Add(chain, head.Seq, "the head of the chain was altered");
        var checkpoints = CheckedCheckpoints(found);
        var last = sound ? head.BaseSeq : ChainAudit.OldestSeq(session, chain) - 1;
        if (sound) head.BaseHash.CopyTo(_hash, 0);
        else if (ChainAudit.HashAt(session, chain, ++last) is { Length: AuditChain.HashBytes } first) first.CopyTo(_hash, 0);
        if (sound && ChainAudit.OldestSeq(session, chain) is > 0 and var oldest && oldest <= head.BaseSeq) Add(chain, oldest, "stands before the beginning of the chain");
        var marked = last;
        foreach (var (seq, entry, accountKey, hash) in ChainAudit.After(session, chain, last))
        {
            if (entry.Act == AuditAct.TrailBroken) BeginAnew(chain, seq, entry.Reason);
            else if (seq != last + 1)
            {
                Add(chain, last + 1, "missing");
                return;
            }

            ChainAudit.Hash(_hashing, [.. _hash], seq, entry, _hash);
            if (!hash.AsSpan().SequenceEqual(_hash) || accountKey != entry.AccountDigest)
            {
                Add(chain, seq, "altered, put in or moved, or the row before it was");
                return;
            }

            foreach (var checkpoint in checkpoints.Where(c => c.Seq == seq))
            {
                if (!checkpoint.Hash.AsSpan().SequenceEqual(_hash))
                {
                    Add(chain, marked + 1, $"altered and hashed anew, or one of the rows up to {seq} was");
                    return;
                }

                marked = seq;
            }

            if (outside?.Seq == seq && outside.Hash.AsSpan().SequenceEqual(_hash)) _outsideMet = true;
            last = seq;
            if (++_rows % 100_000 == 0) progress(_rows);
        }

        if (sound) CheckEnd(chain, head, last);
    }

    private List<AuditCheckpoint> CheckedCheckpoints(FoundHead found)
    {
        var all = CheckpointRows.After(session, found.Chain, found.Sound ? found.Head.BaseCheckpoint : 0);
        var expected = found.Sound ? found.Head.BaseCheckpoint + 1 : all.FirstOrDefault()?.Number;
        foreach (var checkpoint in all)
        {
            if (checkpoint.Number != expected) Add(found.Chain, checkpoint.Seq, $"checkpoint {expected} is missing before it");
            if (!checkpoint.IsSigned(ring)) Add(found.Chain, checkpoint.Seq, $"checkpoint {checkpoint.Number} was altered");
            expected = checkpoint.Number + 1;
            if (_newest is null || checkpoint.Time > _newest.Time) _newest = checkpoint;
        }

        if (found.Sound && expected != found.Head.Checkpoint + 1)
            Add(found.Chain, found.Head.Seq, $"checkpoints {expected} to {found.Head.Checkpoint} do not match the head");
        _checkpoints += all.Count;
        return all;
    }

    private void CheckEnd(long chain, AuditHead head, long last)
    {
        if (last < head.Seq) Add(chain, last + 1, $"missing, and all that followed up to {head.Seq}");
        else if (last > head.Seq) Add(chain, head.Seq + 1, "put in behind the end of the chain");
        else if (!_hash.AsSpan().SequenceEqual(head.Hash)) Add(chain, last, "altered and hashed anew, or one of the rows before it was");
    }

    private void BeginAnew(long chain, long seq, AuditReason why)
    {
        Add(chain, seq, $"the server found the end of the chain altered before it wrote this row ({AuditNames.Of(why)})");
        Array.Clear(_hash);
    }

    private void CheckOutside(AuditCheckpoint outside)
    {
        if (!outside.IsSigned(ring)) Add(0, outside.Seq, "the given checkpoint is not one of this key ring");
        else if (!_outsideMet && _damage.Count == 0)
            Add(0, outside.Seq, "no chain has what the given checkpoint says: the database was put back, or the checkpoint is older than the oldest row");
    }

    private void Add(long chain, long seq, string what) => _damage.Add(new AuditDamage(seq, what, chain));
}
