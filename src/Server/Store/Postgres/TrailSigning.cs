using Mfa.Server.Protection;

namespace Mfa.Server.Store.Postgres;

/// <summary>Signs what older keys signed with the active one. What does not hold is left as it is: it is evidence.</summary>
internal sealed class TrailSigning(KeyRing ring)
{
    /// <returns>How many checkpoints were signed.</returns>
    public int SignAgain(Session session, int most)
    {
        // A head whose writer went on meanwhile was signed by it, with the key that it has by now.
        foreach (var found in ChainRows.OfOtherKeys(session, ring).Where(found => found.Sound))
            ChainRows.Save(session, found.Chain, found.Head, ring, from: found.Head);
        var old = CheckpointRows.OfOtherKeys(session, ring.ActiveId, most).FindAll(found => found.Checkpoint.IsSigned(ring));
        foreach (var (chain, checkpoint) in old)
            CheckpointRows.Save(session, chain, AuditCheckpoint.New(ring, checkpoint.Number, checkpoint.Seq, checkpoint.Time, checkpoint.Hash));
        return old.Count;
    }
}
