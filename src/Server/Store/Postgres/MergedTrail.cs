using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Store.Postgres;

/// <summary>
/// Makes the one chain of a file from the chains of a PostgreSQL, which were checked before: their rows by time, chained anew. A
/// checkpoint after the last row of each day lets rows grow old as they did before. A copy that was broken off goes on behind the last row.
/// </summary>
internal sealed class MergedTrail(PostgresSession source, Session file, KeyRing ring)
{
    private readonly AuditChain _chain = new();
    private readonly byte[] _hash = new byte[AuditChain.HashBytes];
    private AuditHead _begin = AuditHead.NewTrail();
    private long _seq;
    private DateTimeOffset _time;
    private long _checkpoint;

    /// <summary>Whether the file's trail has got its end, and says where its rows came from.</summary>
    public static bool IsEnded(Session file) => AuditHead.Find(file, out _, out _) is { Seq: > 0 };

    public void Copy(Action<int> copied)
    {
        Load();
        var place = ChainAudit.PlaceOf(source, _seq);
        while (ChainAudit.PageByTime(source, place) is { Count: > 0 } page)
        {
            file.Execute("BEGIN IMMEDIATE");
            foreach (var (_, entry) in page)
            {
                if (_seq > 0 && entry.Time.UtcDateTime.Date > _time.UtcDateTime.Date) Mark(_time);
                Append(entry);
            }

            file.Execute("COMMIT");
            place = page[^1].Place;
            copied(page.Count);
        }
    }

    /// <summary>Tells where each chain ended, and signs the new end. Within the transaction that makes the file complete.</summary>
    public void End(string sourceName, Func<string, AuditEntry> row)
    {
        var chains = ChainRows.List(source, ring).Where(found => found.Chain != ChainRows.Register).ToList();
        Append(row($"store copy from {sourceName}: {_seq} rows of {chains.Count} chains"));
        foreach (var (chain, head, _) in chains) Append(row(new MovedChain(chain, head.Seq, head.Hash).Detail));
        Mark(_time);
        (_begin with { Seq = _seq, Hash = [.. _hash], Checkpoint = _checkpoint }).Save(file, ring);
    }

    private void Load()
    {
        _begin = AuditHead.Find(file, out _, out _) ?? throw new StartRefusedException("The unfinished file has no audit trail. Remove it, and run it again.");
        _seq = AuditRows.NewestSeq(file);
        _checkpoint = AuditCheckpoint.NewestNumber(file);
        (AuditRows.HashAt(file, _seq) ?? _begin.BaseHash).CopyTo(_hash, 0);
        if (_seq == 0) return;
        var time = file.Command("SELECT time FROM audit WHERE seq = @seq");
        time.Bind("@seq", _seq);
        _time = DateTimeOffset.FromUnixTimeMilliseconds((long)time.ExecuteScalar()!);
    }

    private void Append(AuditEntry entry)
    {
        AuditRows.Append(file, _chain, ++_seq, entry, _hash);
        _time = entry.Time;
    }

    private void Mark(DateTimeOffset time) => AuditCheckpoint.New(ring, ++_checkpoint, _seq, time, [.. _hash]).Save(file);
}
