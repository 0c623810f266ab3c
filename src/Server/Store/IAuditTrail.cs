namespace Mfa.Server.Store;

/// <param name="Checkpoints">Those that were signed just now.</param>
/// <param name="Broken">Whether an end of the trail was found altered since this was asked last.</param>
internal sealed record TrailMark(IReadOnlyList<AuditCheckpoint> Checkpoints, bool Broken);

/// <summary>The audit trail as a whole: kept in the background, searched and verified. Rows come in through the store.</summary>
internal interface IAuditTrail
{
    /// <summary>Signs a checkpoint where something came in since the last one.</summary>
    Task<TrailMark> MarkAsync();

    /// <summary>Signs checkpoints of older keys with the active one, so that an old key can be removed.</summary>
    /// <returns>How many were signed; 0 when there are no more.</returns>
    Task<int> SignAgainAsync(int most);

    /// <summary>Writes the next part of what helps to find rows.</summary>
    /// <returns>False when there is no more to write.</returns>
    Task<bool> AddSegmentAsync();

    /// <summary>Removes rows that were written before a time, so many at once.</summary>
    /// <returns>False when there was nothing to remove.</returns>
    Task<bool> RemoveOldAsync(DateTimeOffset before, int most);

    /// <returns>The newest rows first.</returns>
    List<AuditRow> Find(AuditFilter filter, int limit);

    /// <param name="after">Rows up to this one are taken as they are: their damage is known.</param>
    /// <param name="outside">A checkpoint that was kept elsewhere.</param>
    /// <param name="progress">Told of every 100,000th row.</param>
    AuditReport Verify(long? after, AuditCheckpoint? outside, Action<long> progress);
}
