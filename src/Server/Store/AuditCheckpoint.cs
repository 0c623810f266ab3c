using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using Mfa.Server.Protection;

namespace Mfa.Server.Store;

/// <summary>
/// What the trail ended with at one moment, signed. Its text goes to the log as well: kept elsewhere, it finds even a database
/// that was put back as a whole.
/// </summary>
internal sealed record AuditCheckpoint(long Number, long Seq, DateTimeOffset Time, byte[] Hash, uint KeyId, byte[] Mac)
{
    public const string Accepted = "give the whole text that was logged";

    private const string Columns = "number, seq, time, hash, key_id, mac";

    /// <summary>One word, to be copied.</summary>
    public string Text => string.Create(CultureInfo.InvariantCulture,
        $"{Number}.{Seq}.{Time.ToUnixTimeMilliseconds()}.{Base64Url.EncodeToString(Hash)}.{KeyId:x8}.{Base64Url.EncodeToString(Mac)}");

    public static AuditCheckpoint New(KeyRing ring, long number, long seq, DateTimeOffset time, byte[] hash)
    {
        var unsigned = new AuditCheckpoint(number, seq, time, hash, ring.ActiveId, []);
        return unsigned with { Mac = unsigned.Expected(ring) };
    }

    public static AuditCheckpoint? Parse(string text)
    {
        var parts = text.Split('.');
        return parts.Length == 6
            && long.TryParse(parts[0], NumberStyles.None, null, out var number) && long.TryParse(parts[1], NumberStyles.None, null, out var seq)
            && long.TryParse(parts[2], NumberStyles.None, null, out var time) && time <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            && Base64Url.IsValid(parts[3]) && Base64Url.IsValid(parts[5])
            && uint.TryParse(parts[4], NumberStyles.AllowHexSpecifier, null, out var keyId)
            ? new AuditCheckpoint(number, seq, DateTimeOffset.FromUnixTimeMilliseconds(time), Base64Url.DecodeFromChars(parts[3]), keyId,
                Base64Url.DecodeFromChars(parts[5]))
            : null;
    }

    public static AuditCheckpoint? Find(Session session, long number)
    {
        var row = session.Statement($"SELECT {Columns} FROM audit_checkpoints WHERE number = ?1");
        row.Bind(1, number);
        return Read(row).FirstOrDefault();
    }

    public static List<AuditCheckpoint> After(Session session, long number)
    {
        var rows = session.Statement($"SELECT {Columns} FROM audit_checkpoints WHERE number > ?1 ORDER BY number");
        rows.Bind(1, number);
        return Read(rows);
    }

    public static long NewestNumber(Session session)
    {
        var row = session.Statement("SELECT coalesce(max(number), 0) FROM audit_checkpoints");
        row.Step();
        var number = row.Long(0);
        row.Reset();
        return number;
    }

    /// <summary>Those of other keys than the active one, which they must not outlive.</summary>
    public static List<AuditCheckpoint> OfOtherKeys(Session session, uint active, int most)
    {
        var rows = session.Statement($"SELECT {Columns} FROM audit_checkpoints WHERE key_id <> ?1 LIMIT ?2");
        rows.Bind(1, active);
        rows.Bind(2, most);
        return Read(rows);
    }

    public void Save(Session session)
    {
        var row = session.Statement($"INSERT OR REPLACE INTO audit_checkpoints ({Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
        row.Bind(1, Number);
        row.Bind(2, Seq);
        row.Bind(3, Time.ToUnixTimeMilliseconds());
        row.BindBytes(4, Hash);
        row.Bind(5, KeyId);
        row.BindBytes(6, Mac);
        row.Step();
    }

    public static void RemoveUpTo(Session session, long number)
    {
        var rows = session.Statement("DELETE FROM audit_checkpoints WHERE number <= ?1");
        rows.Bind(1, number);
        rows.Step();
    }

    public bool IsSigned(KeyRing ring)
    {
        try
        {
            return CryptographicOperations.FixedTimeEquals(Mac, Expected(ring));
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private byte[] Expected(KeyRing ring)
    {
        Span<byte> fields = stackalloc byte[1 + sizeof(uint) + 3 * sizeof(long) + AuditChain.HashBytes];
        if (Hash.Length != AuditChain.HashBytes) return [];
        fields[0] = (byte)'C';
        BinaryPrimitives.WriteUInt32BigEndian(fields[1..], KeyId);
        BinaryPrimitives.WriteInt64BigEndian(fields[5..], Number);
        BinaryPrimitives.WriteInt64BigEndian(fields[13..], Seq);
        BinaryPrimitives.WriteInt64BigEndian(fields[21..], Time.ToUnixTimeMilliseconds());
        Hash.CopyTo(fields[29..]);
        return HMACSHA256.HashData(ring.SubKey(KeyId, KeyPurpose.Audit), fields);
    }

    private static List<AuditCheckpoint> Read(Statement rows)
    {
        var all = new List<AuditCheckpoint>();
        while (rows.Step())
        {
            all.Add(new AuditCheckpoint(rows.Long(0), rows.Long(1), DateTimeOffset.FromUnixTimeMilliseconds(rows.Long(2)),
                rows.Bytes(3).ToArray(), (uint)rows.Long(4), rows.Bytes(5).ToArray()));
        }

        return all;
    }
}
