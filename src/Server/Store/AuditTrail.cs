using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Store;

/// <summary>
/// The writing end of the audit trail, inside the one writer: rows are chained as they come, and the new end is signed once a
/// transaction, in the same one. An end that is not the one it was left as is never signed over: the chain begins anew behind
/// a row that says so, which nobody can take out unseen.
/// </summary>
internal sealed class AuditTrail(KeyRing ring)
{
    private readonly AuditChain _chain = new();
    private readonly byte[] _hash = new byte[AuditChain.HashBytes];

    /// <summary>The newest row that this process committed; another process may have gone on since, but never back.</summary>
    private long _committed;

    /// <summary>The end within the transaction underway; null while nothing was appended in it.</summary>
    private AuditHead? _head;
    private long _seq;
    private bool _changed;
    private bool _broken;

    /// <summary>Whether the end was found altered since this was asked last.</summary>
    public bool TakeBroken() => Interlocked.Exchange(ref _broken, false);

    public void Append(Session session, AuditEntry entry)
    {
        _ = Load(session, entry.Time);
        AppendLoaded(session, entry);
    }

    /// <returns>Null when nothing came since the last one.</returns>
    public AuditCheckpoint? Mark(Session session, DateTimeOffset now)
    {
        var head = Load(session, now);
        if (_seq == 0 || _seq == (AuditCheckpoint.Find(session, head.Checkpoint)?.Seq ?? head.BaseSeq)) return null;
        var checkpoint = AuditCheckpoint.New(ring, head.Checkpoint + 1, _seq, now, [.. _hash]);
        checkpoint.Save(session);
        Change(head with { Checkpoint = checkpoint.Number });
        return checkpoint;
    }

    /// <summary>
    /// Removes rows that a checkpoint from before <paramref name="before"/> covers, so many at a time. The checkpoint's signed time
    /// decides and not the rows' own, which whoever writes to the database could set so that we remove for them what they did.
    /// </summary>
    /// <returns>False when there was nothing to remove.</returns>
    public bool RemoveOld(Session session, DateTimeOffset before, int most, DateTimeOffset now)
    {
        var head = Load(session, now);
        if (AuditCheckpoint.Find(session, head.BaseCheckpoint + 1) is not { } oldest || oldest.Time >= before || !oldest.IsSigned(ring)) return false;
        var last = Math.Min(oldest.Seq, head.BaseSeq + most);
        if (AuditRows.HashAt(session, last) is not { } hash) return false; // not there any more: verify says so
        AuditRows.RemoveUpTo(session, last);
        AuditSegments.RemoveBefore(session, last);
        Change(head with { BaseSeq = last, BaseHash = hash, BaseCheckpoint = last == oldest.Seq ? oldest.Number : head.BaseCheckpoint });
        if (last == oldest.Seq) AuditCheckpoint.RemoveUpTo(session, oldest.Number);
        return true;
    }

    /// <summary>Signs checkpoints of older keys with the active one, so that an old key can be removed. A bad one stays as it is.</summary>
    /// <returns>How many were signed.</returns>
    public int SignAgain(Session session, int most, DateTimeOffset now)
    {
        Change(Load(session, now)); // saving the head signs it with the active key, too
        var signed = AuditCheckpoint.OfOtherKeys(session, ring.ActiveId, most).FindAll(checkpoint => checkpoint.IsSigned(ring));
        foreach (var old in signed) AuditCheckpoint.New(ring, old.Number, old.Seq, old.Time, old.Hash).Save(session);
        return signed.Count;
    }

    /// <summary>Signs the new end. Right before the commit.</summary>
    public void Save(Session session)
    {
        if (_head is not null && _changed) (_head with { Seq = _seq, Hash = _hash }).Save(session, ring);
    }

    public void Committed()
    {
        if (_head is not null) _committed = _seq;
        RolledBack();
    }

    public void RolledBack() => (_head, _changed) = (null, false);

    private AuditHead Load(Session session, DateTimeOffset now)
    {
        if (_head is not null) return _head;
        var head = AuditHead.Find(session, out var mac, out var keyId);
        if (Damage(head, mac, keyId) is { } damage) return BeginAnew(session, head, damage, now);
        (_head, _seq) = (head!, head!.Seq);
        head.Hash.CopyTo(_hash, 0);
        return _head;
    }

    private AuditReason? Damage(AuditHead? head, byte[]? mac, uint keyId)
    {
        if (head is null || mac is null) return AuditReason.HeadMissing;
        if (!head.IsSigned(ring, keyId, mac)) return AuditReason.HeadAltered;
        return head.Seq < _committed ? AuditReason.HeadRolledBack : null;
    }

    private AuditHead BeginAnew(Session session, AuditHead? found, AuditReason damage, DateTimeOffset now)
    {
        _broken = true;
        _seq = Math.Max(Math.Max(AuditRows.NewestSeq(session), found?.Seq ?? 0), _committed);
        Array.Clear(_hash);
        var checkpoint = AuditCheckpoint.NewestNumber(session);
        _head = new AuditHead(_seq, [.. _hash], checkpoint, _seq, [.. _hash], checkpoint);
        AppendLoaded(session, new AuditEntry(now, AuditAct.TrailBroken, AuditCaller.Server, new AccountKey("", ""))
        {
            Outcome = AuditOutcome.Failed,
            Reason = damage,
        });
        return _head;
    }

    private void AppendLoaded(Session session, AuditEntry entry)
    {
        for (var next = entry; next is not null; next = next.And) AuditRows.Append(session, _chain, ++_seq, next, _hash);
        _changed = true;
    }

    private void Change(AuditHead head) => (_head, _changed) = (head, true);
}
