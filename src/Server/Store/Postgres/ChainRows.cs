using Mfa.Server.Protection;

namespace Mfa.Server.Store.Postgres;

/// <param name="Sound">Whether its MAC is one of the key ring.</param>
internal sealed record FoundHead(long Chain, AuditHead Head, bool Sound);

/// <summary>
/// The audit_head table, as statements on a session. Chain 0 is the register: its seq is the number of chains, so that a chain
/// cannot be taken out as a whole.
/// </summary>
internal static class ChainRows
{
    public const long Register = 0;

    private const string Columns = "chain, base_seq, base_hash, base_checkpoint, seq, hash, checkpoint, key_id, mac";

    public static void AddRegister(Session session, KeyRing ring) => Insert(session, Register, Registered(0), ring, holder: null, heldUntil: 0);

    /// <summary>Makes the one chain of a file the first one here.</summary>
    public static void Move(Session session, AuditHead head, KeyRing ring)
    {
        Insert(session, chain: 1, head, ring, holder: null, heldUntil: 0);
        Save(session, Register, Registered(1), ring, from: Registered(0));
    }

    /// <summary>Goes on with the chain that this writer holds, or with one that nobody does; else begins a new one.</summary>
    public static FoundHead Claim(Session session, KeyRing ring, byte[] holder, DateTimeOffset now, DateTimeOffset until)
    {
        var command = session.Command($"""
            UPDATE audit_head SET held_by = @holder, held_until = @until WHERE chain = (
                SELECT chain FROM audit_head WHERE chain > 0 AND (held_by = @holder OR held_until <= @now)
                ORDER BY coalesce(held_by = @holder, false) DESC, chain LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING {Columns}
            """);
        command.Bind("@holder", holder);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        command.Bind("@until", until.ToUnixTimeMilliseconds());
        using (var row = command.ExecuteReader())
        {
            if (row.Read()) return Read(row, ring);
        }

        // Whoever else begins a chain waits for this row.
        var lockRegister = session.Command($"SELECT {Columns} FROM audit_head WHERE chain = 0 FOR UPDATE");
        FoundHead register;
        using (var row = lockRegister.ExecuteReader())
        {
            register = row.Read() ? Read(row, ring) : new FoundHead(Register, Registered(0), Sound: false);
        }

        var newest = (long)session.Command("SELECT coalesce(max(chain), 0) FROM audit_head").ExecuteScalar()!;
        var chain = Math.Max(newest, register.Head.Seq) + 1;
        // One that was altered is left as it is: verify says so, and it is not signed over.
        if (register.Sound) Save(session, Register, register.Head with { Seq = chain }, ring, from: register.Head);
        var head = AuditHead.NewTrail();
        Insert(session, chain, head, ring, holder, until.ToUnixTimeMilliseconds());
        return new FoundHead(chain, head, Sound: true);
    }

    public static void Release(Session session, long chain, byte[] holder) => Hold(session, chain, holder, DateTimeOffset.UnixEpoch);

    public static void Hold(Session session, long chain, byte[] holder, DateTimeOffset until)
    {
        var command = session.Command("UPDATE audit_head SET held_until = @until WHERE chain = @chain AND held_by = @holder");
        command.Bind("@chain", chain);
        command.Bind("@holder", holder);
        command.Bind("@until", until.ToUnixTimeMilliseconds());
        command.ExecuteNonQuery();
    }

    public static List<FoundHead> List(Session session, KeyRing ring)
    {
        using var row = session.Command($"SELECT {Columns} FROM audit_head ORDER BY chain").ExecuteReader();
        var heads = new List<FoundHead>();
        while (row.Read()) heads.Add(Read(row, ring));
        return heads;
    }

    /// <summary>Those that are signed with another key than the active one.</summary>
    public static List<FoundHead> OfOtherKeys(Session session, KeyRing ring)
    {
        var command = session.Command($"SELECT {Columns} FROM audit_head WHERE key_id <> @active ORDER BY chain");
        command.Bind("@active", ring.ActiveId);
        using var row = command.ExecuteReader();
        var heads = new List<FoundHead>();
        while (row.Read()) heads.Add(Read(row, ring));
        return heads;
    }

    /// <param name="from">The head that it takes the place of.</param>
    /// <returns>False when it is another one by now: somebody went on with the chain, or removed what is old.</returns>
    public static bool Save(Session session, long chain, AuditHead head, KeyRing ring, AuditHead from)
    {
        var command = session.Command("""
            UPDATE audit_head SET base_seq = @base_seq, base_hash = @base_hash, base_checkpoint = @base_checkpoint,
                seq = @seq, hash = @hash, checkpoint = @checkpoint, key_id = @key, mac = @mac
            WHERE chain = @chain AND seq = @from AND base_seq = @from_base AND checkpoint = @from_checkpoint
            """);
        Bind(command, chain, head, ring);
        command.Bind("@from", from.Seq);
        command.Bind("@from_base", from.BaseSeq);
        command.Bind("@from_checkpoint", from.Checkpoint);
        return command.ExecuteNonQuery() == 1;
    }

    private static AuditHead Registered(long chains)
    {
        var nothing = new byte[AuditChain.HashBytes];
        return new AuditHead(0, nothing, 0, chains, nothing, 0);
    }

    private static void Insert(Session session, long chain, AuditHead head, KeyRing ring, byte[]? holder, long heldUntil)
    {
        var command = session.Command($"""
            INSERT INTO audit_head ({Columns}, held_by, held_until)
            VALUES (@chain, @base_seq, @base_hash, @base_checkpoint, @seq, @hash, @checkpoint, @key, @mac, @holder, @until)
            """);
        Bind(command, chain, head, ring);
        command.Bind("@holder", holder);
        command.Bind("@until", heldUntil);
        command.ExecuteNonQuery();
    }

    private static void Bind(System.Data.Common.DbCommand command, long chain, AuditHead head, KeyRing ring)
    {
        var keyId = ring.ActiveId;
        command.Bind("@chain", chain);
        command.Bind("@base_seq", head.BaseSeq);
        command.Bind("@base_hash", head.BaseHash);
        command.Bind("@base_checkpoint", head.BaseCheckpoint);
        command.Bind("@seq", head.Seq);
        command.Bind("@hash", head.Hash);
        command.Bind("@checkpoint", head.Checkpoint);
        command.Bind("@key", keyId);
        command.Bind("@mac", head.Mac(ring, keyId));
    }

    private static FoundHead Read(System.Data.Common.DbDataReader row, KeyRing ring)
    {
        var head = new AuditHead(row.GetInt64(1), row.GetFieldValue<byte[]>(2), row.GetInt64(3), row.GetInt64(4), row.GetFieldValue<byte[]>(5), row.GetInt64(6));
        return new FoundHead(row.GetInt64(0), head, head.IsSigned(ring, (uint)row.GetInt64(7), row.GetFieldValue<byte[]>(8)));
    }
}
