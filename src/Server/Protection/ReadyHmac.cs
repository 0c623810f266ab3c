using System.Security.Cryptography;

namespace Mfa.Server.Protection;

/// <summary>
/// HMAC-SHA-512 with a key that was taken in before: half of the work for a short text is that, and every check of a code comes
/// with the same key. One for each thread.
/// </summary>
internal sealed class ReadyHmac
{
    [ThreadStatic]
    private static ReadyHmac? _ofThread;

    private readonly byte[] _key;
    private readonly IncrementalHash _hash;

    private ReadyHmac(byte[] key) => (_key, _hash) = (key, IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, key));

    /// <param name="key">A sub-key of the ring, which is the same array each time.</param>
    public static ReadyHmac Of(byte[] key)
    {
        if (_ofThread is { } ready && ReferenceEquals(ready._key, key)) return ready;
        _ofThread?._hash.Dispose();
        return _ofThread = new ReadyHmac(key);
    }

    public void Hash(ReadOnlySpan<byte> text, Span<byte> hash)
    {
        _hash.AppendData(text);
        _hash.GetHashAndReset(hash);
    }
}
