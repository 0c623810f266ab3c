using Mfa.Server.Protection;

namespace Mfa.Server.Store;

/// <summary>The one chain of a database file, written by its one writer.</summary>
internal sealed class SqliteAuditTrail(SqliteStore store, KeyRing ring) : IAuditTrail
{
    public Task<TrailMark> MarkAsync() => store.WriteAsync(session =>
    {
        var checkpoint = session.Trail.Mark(session, store.Clock.GetUtcNow());
        return new TrailMark(checkpoint is null ? [] : [checkpoint], session.Trail.TakeBroken());
    });

    public Task<int> SignAgainAsync(int most) => store.WriteAsync(session => session.SignTrailAgain(most, store.Clock.GetUtcNow()));

    public Task<bool> AddSegmentAsync() => store.WriteAsync(AuditSegments.AddNext);

    public Task<bool> RemoveOldAsync(DateTimeOffset before, int most) =>
        store.WriteAsync(session => session.Trail.RemoveOld(session, before, most, store.Clock.GetUtcNow()));

    public List<AuditRow> Find(AuditFilter filter, int limit) => store.Read(session => AuditSearch.Find(session, filter, limit));

    public AuditReport Verify(long? after, AuditCheckpoint? outside, Action<long> progress) =>
        store.Read(session => new AuditVerification(session, ring).Run(after, outside, progress));
}
