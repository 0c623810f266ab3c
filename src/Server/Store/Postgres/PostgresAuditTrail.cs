using Mfa.Server.Protection;

namespace Mfa.Server.Store.Postgres;

/// <summary>The chains of all servers as one trail. Each server marks the chains that it writes; whoever comes first removes what is old.</summary>
internal sealed class PostgresAuditTrail(PostgresStore store, SaveLane saves, WorkLane[] works, KeyRing ring) : IAuditTrail
{
    public async Task<TrailMark> MarkAsync()
    {
        List<(AuditCheckpoint? Checkpoint, bool Broken)> marks = [await saves.BetweenGroupsAsync(MarkAsync)];
        foreach (var lane in works) marks.Add(await lane.BetweenAsync(MarkAsync));
        return new TrailMark([.. marks.Select(mark => mark.Checkpoint).OfType<AuditCheckpoint>()], marks.Exists(mark => mark.Broken));
    }

    public Task<int> SignAgainAsync(int most) => store.WriteAsync(session => session.SignTrailAgain(most, store.Clock.GetUtcNow()));

    /// <summary>Rows are found by indexes.</summary>
    public Task<bool> AddSegmentAsync() => Task.FromResult(false);

    /// <summary>
    /// The checkpoint's signed time decides and not the rows' own, which whoever writes to the database could set so that we
    /// remove for them what they did.
    /// </summary>
    public Task<bool> RemoveOldAsync(DateTimeOffset before, int most) => store.WriteAsync(session =>
    {
        foreach (var (chain, head, sound) in ChainRows.List(session, ring))
        {
            if (chain == ChainRows.Register || !sound) continue;
            if (CheckpointRows.Find(session, chain, head.BaseCheckpoint + 1) is not { } oldest || oldest.Time >= before || !oldest.IsSigned(ring)) continue;
            var last = Math.Min(oldest.Seq, head.BaseSeq + most);
            if (ChainAudit.HashAt(session, chain, last) is not { } hash) continue; // not there any more: verify says so
            ChainAudit.RemoveUpTo(session, chain, last);
            var shorter = head with { BaseSeq = last, BaseHash = hash, BaseCheckpoint = last == oldest.Seq ? oldest.Number : head.BaseCheckpoint };
            if (!ChainRows.Save(session, chain, shorter, ring, from: head)) throw new LostRaceException(); // its writer went on: the next round
            if (last == oldest.Seq) CheckpointRows.RemoveUpTo(session, chain, oldest.Number);
            return true;
        }

        return false;
    });

    public List<AuditRow> Find(AuditFilter filter, int limit) => store.Read(session => ChainAudit.Find(session, filter, limit));

    public AuditReport Verify(long? after, AuditCheckpoint? outside, Action<long> progress) => after is not null
        ? throw new StartRefusedException("--after: every chain has rows of that number. Leave it out.")
        : store.Read(session => new ChainVerification(session, ring).Run(outside, progress));

    /// <summary>Lets other writers go on with the chains of this server.</summary>
    public async Task ReleaseAsync()
    {
        await saves.BetweenGroupsAsync(ReleaseAsync);
        foreach (var lane in works) await lane.BetweenAsync(ReleaseAsync);
    }

    private static async Task<(AuditCheckpoint?, bool)> MarkAsync(TrailChain chain)
    {
        try
        {
            return (await chain.MarkAsync(), chain.TakeBroken());
        }
        catch (Exception broken) when (broken is LostRaceException || PostgresErrors.IsOfStore(broken))
        {
            chain.Lost(); // the next minute marks it
            return broken is LostRaceException || PostgresErrors.IsConflict(broken) ? (null, false) : throw new StoreUnavailableException(broken);
        }
    }

    private static async Task<bool> ReleaseAsync(TrailChain chain)
    {
        try
        {
            await chain.ReleaseAsync();
        }
        catch (Exception gone) when (gone is StoreUnavailableException || PostgresErrors.IsOfStore(gone))
        {
            // Its lease runs out instead.
        }

        return true;
    }
}
