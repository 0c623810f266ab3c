using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Mfa.Server.Store;

/// <summary>
/// Hashes one row of the trail after the other. Every number takes eight bytes and everything else has its length before it,
/// so that no two rows have the same bytes. Without a key: rows stay checkable when keys are rotated and removed, and what
/// makes the chain hold is the MAC over its end.
/// </summary>
internal sealed class AuditChain
{
    public const int HashBytes = SHA256.HashSizeInBytes;

    private byte[] _bytes = new byte[1024];
    private int _length;

    public void Start(ReadOnlySpan<byte> previousHash)
    {
        previousHash.CopyTo(_bytes);
        _length = previousHash.Length;
    }

    public long Add(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(Room(sizeof(long)), value);
        return value;
    }

    /// <returns>The text's bytes, good until the next call.</returns>
    public ReadOnlySpan<byte> Add(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        BinaryPrimitives.WriteInt32BigEndian(Room(sizeof(int)), length);
        var room = Room(length);
        Encoding.UTF8.GetBytes(text, room);
        return room;
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteInt32BigEndian(Room(sizeof(int)), bytes.Length);
        bytes.CopyTo(Room(bytes.Length));
    }

    public void AddNothing() => BinaryPrimitives.WriteInt32BigEndian(Room(sizeof(int)), -1);

    public void Finish(Span<byte> hash) => SHA256.HashData(_bytes.AsSpan(0, _length), hash);

    private Span<byte> Room(int count)
    {
        if (_length + count > _bytes.Length) Array.Resize(ref _bytes, 2 * (_length + count));
        var room = _bytes.AsSpan(_length, count);
        _length += count;
        return room;
    }
}
