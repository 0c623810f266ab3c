using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Mfa.Server.Protection;

/// <summary>What a sub-key is for. Each purpose has its own, so that no value of one kind can pass for another.</summary>
internal enum KeyPurpose
{
    Seal,
    RecoveryCodes,
    SentCodes,
    Passwords,
    Requests,
    SendCounts,
    RingCheck,
    Backups,
}

/// <summary>The keys that the database is worthless without. They live outside it, in a file of their own.</summary>
internal sealed class KeyRing
{
    public const int KeyBytes = 32;

    private readonly Dictionary<uint, byte[]> _keys;
    private readonly ConcurrentDictionary<(uint, KeyPurpose), byte[]> _subKeys = new();

    public KeyRing(uint activeId, IReadOnlyDictionary<uint, byte[]> keys)
    {
        _keys = new Dictionary<uint, byte[]>(keys);
        ActiveId = activeId;
        if (!_keys.ContainsKey(activeId)) throw new CryptographicException("The active key is not in the ring.");
    }

    /// <summary>The key that new values are protected with.</summary>
    public uint ActiveId { get; }

    public IEnumerable<uint> Ids => _keys.Keys;

    public bool Contains(uint id) => _keys.ContainsKey(id);

    /// <summary>HKDF-Expand (RFC 5869 §2.3) of a ring key; ring keys are uniformly random, so there is nothing to extract.</summary>
    /// <exception cref="CryptographicException">The ring has no such key. Never treated as "does not match".</exception>
    public byte[] SubKey(uint keyId, KeyPurpose purpose) =>
        _subKeys.GetOrAdd((keyId, purpose), static (which, keys) => keys.TryGetValue(which.Item1, out var key)
            ? HKDF.Expand(HashAlgorithmName.SHA256, key, KeyBytes, Encoding.ASCII.GetBytes($"mfa.v1 {which.Item2}"))
            : throw new CryptographicException($"The key ring has no key {which.Item1:x8}."), _keys);

    /// <summary>Tells whether another ring's key hides behind the same id, without telling the key.</summary>
    public byte[] CheckValue(uint keyId) =>
        HMACSHA256.HashData(SubKey(keyId, KeyPurpose.RingCheck), "mfa.v1 key ring"u8)[..16];
}
