using System.Data.Common;

namespace Mfa.Server.Store.Postgres;

/// <summary>The audit_checkpoints table, as statements on a session.</summary>
internal static class CheckpointRows
{
    private const string Columns = "number, seq, time, hash, key_id, mac";

    public static AuditCheckpoint? Find(Session session, long chain, long number)
    {
        var command = session.Command($"SELECT {Columns} FROM audit_checkpoints WHERE chain = @chain AND number = @number");
        command.Bind("@chain", chain);
        command.Bind("@number", number);
        using var row = command.ExecuteReader();
        return row.Read() ? Read(row) : null;
    }

    public static List<AuditCheckpoint> After(Session session, long chain, long number)
    {
        var command = session.Command($"SELECT {Columns} FROM audit_checkpoints WHERE chain = @chain AND number > @number ORDER BY number");
        command.Bind("@chain", chain);
        command.Bind("@number", number);
        using var row = command.ExecuteReader();
        var all = new List<AuditCheckpoint>();
        while (row.Read()) all.Add(Read(row));
        return all;
    }

    public static long NewestNumber(Session session, long chain)
    {
        var command = session.Command("SELECT coalesce(max(number), 0) FROM audit_checkpoints WHERE chain = @chain");
        command.Bind("@chain", chain);
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>Those of other keys than the active one, which they must not outlive.</summary>
    public static List<(long Chain, AuditCheckpoint Checkpoint)> OfOtherKeys(Session session, uint active, int most)
    {
        var command = session.Command($"SELECT {Columns}, chain FROM audit_checkpoints WHERE key_id <> @active LIMIT @most");
        command.Bind("@active", active);
        command.Bind("@most", most);
        using var row = command.ExecuteReader();
        var all = new List<(long, AuditCheckpoint)>();
        while (row.Read()) all.Add((row.GetInt64(6), Read(row)));
        return all;
    }

    public static void Save(Session session, long chain, AuditCheckpoint checkpoint)
    {
        var command = session.Command($"""
            INSERT INTO audit_checkpoints (chain, {Columns}) VALUES (@chain, @number, @seq, @time, @hash, @key, @mac)
            ON CONFLICT (chain, number) DO UPDATE SET seq = excluded.seq, time = excluded.time, hash = excluded.hash,
                key_id = excluded.key_id, mac = excluded.mac
            """);
        command.Bind("@chain", chain);
        command.Bind("@number", checkpoint.Number);
        command.Bind("@seq", checkpoint.Seq);
        command.Bind("@time", checkpoint.Time.ToUnixTimeMilliseconds());
        command.Bind("@hash", checkpoint.Hash);
        command.Bind("@key", checkpoint.KeyId);
        command.Bind("@mac", checkpoint.Mac);
        command.ExecuteNonQuery();
    }

    public static void RemoveUpTo(Session session, long chain, long number)
    {
        var command = session.Command("DELETE FROM audit_checkpoints WHERE chain = @chain AND number <= @number");
        command.Bind("@chain", chain);
        command.Bind("@number", number);
        command.ExecuteNonQuery();
    }

    private static AuditCheckpoint Read(DbDataReader row) => new(row.GetInt64(0), row.GetInt64(1), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)),
        row.GetFieldValue<byte[]>(3), (uint)row.GetInt64(4), row.GetFieldValue<byte[]>(5));
}
