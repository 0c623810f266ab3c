using System.Buffers.Binary;
using System.Security.Cryptography;
using Mfa.Server.Protection;

namespace Mfa.Server.Store;

/// <summary>
/// Where the trail begins and ends. Under a MAC of the key ring, so that who writes to the database alone can neither cut rows
/// off at an end nor sign a chain of their own.
/// </summary>
/// <param name="BaseSeq">The last row that was removed for its age; 0 when none was.</param>
/// <param name="BaseHash">Its hash; at first a random value, so that no two trails share a beginning.</param>
/// <param name="BaseCheckpoint">The last checkpoint that was removed with it.</param>
/// <param name="Seq">The newest row, and its hash.</param>
/// <param name="Checkpoint">The newest checkpoint.</param>
internal sealed record AuditHead(long BaseSeq, byte[] BaseHash, long BaseCheckpoint, long Seq, byte[] Hash, long Checkpoint)
{
    private const int Bytes = 4 * sizeof(long) + 2 * AuditChain.HashBytes;

    public static AuditHead NewTrail()
    {
        var start = RandomNumberGenerator.GetBytes(AuditChain.HashBytes);
        return new AuditHead(0, start, 0, 0, start, 0);
    }

    /// <param name="mac">What stands beside the row; null when there is no row.</param>
    /// <param name="keyId">The key of that MAC.</param>
    public static AuditHead? Find(Session session, out byte[]? mac, out uint keyId)
    {
        var row = session.Statement(
            "SELECT base_seq, base_hash, base_checkpoint, seq, hash, checkpoint, key_id, mac FROM audit_head WHERE one = 1");
        (mac, keyId) = (null, 0);
        AuditHead? head = null;
        if (row.Step())
        {
            head = new AuditHead(row.Long(0), row.Bytes(1).ToArray(), row.Long(2), row.Long(3), row.Bytes(4).ToArray(), row.Long(5));
            (keyId, mac) = ((uint)row.Long(6), row.Bytes(7).ToArray());
        }

        row.Reset();
        return head;
    }

    public void Save(Session session, KeyRing ring)
    {
        var keyId = ring.ActiveId;
        var row = session.Statement("""
            INSERT OR REPLACE INTO audit_head (one, base_seq, base_hash, base_checkpoint, seq, hash, checkpoint, key_id, mac)
            VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            """);
        row.Bind(1, BaseSeq);
        row.BindBytes(2, BaseHash);
        row.Bind(3, BaseCheckpoint);
        row.Bind(4, Seq);
        row.BindBytes(5, Hash);
        row.Bind(6, Checkpoint);
        row.Bind(7, keyId);
        row.BindBytes(8, Mac(ring, keyId));
        row.Step();
    }

    public bool IsSigned(KeyRing ring, uint keyId, byte[] mac)
    {
        if (BaseHash.Length != AuditChain.HashBytes || Hash.Length != AuditChain.HashBytes) return false;
        try
        {
            return CryptographicOperations.FixedTimeEquals(mac, Mac(ring, keyId));
        }
        catch (CryptographicException)
        {
            return false; // a key that the ring never had: whoever wrote this did not have it either
        }
    }

    public byte[] Mac(KeyRing ring, uint keyId)
    {
        Span<byte> fields = stackalloc byte[1 + sizeof(uint) + Bytes];
        fields[0] = (byte)'H'; // checkpoints are signed with the same key
        var rest = fields[1..];
        BinaryPrimitives.WriteUInt32BigEndian(rest, keyId);
        rest = rest[sizeof(uint)..];
        foreach (var number in (ReadOnlySpan<long>)[BaseSeq, BaseCheckpoint, Seq, Checkpoint])
        {
            BinaryPrimitives.WriteInt64BigEndian(rest, number);
            rest = rest[sizeof(long)..];
        }

        BaseHash.CopyTo(rest);
        Hash.CopyTo(rest[AuditChain.HashBytes..]);
        return HMACSHA256.HashData(ring.SubKey(keyId, KeyPurpose.Audit), fields);
    }
}
