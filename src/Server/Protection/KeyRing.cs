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
    RingCheck,
    Audit,
    Backups,
}

/// <summary>
/// The keys that the database is worthless without. They live outside it, in a file of their own. A running server puts newer
/// ones in place when that file changes, so read <see cref="ActiveId"/> once for each value that is protected.
/// </summary>
internal sealed class KeyRing
{
    public const int KeyBytes = 32;

    private volatile Keys _keys;

    public KeyRing(uint activeId, IReadOnlyDictionary<uint, byte[]> keys)
    {
        if (!keys.ContainsKey(activeId)) throw new CryptographicException("The active key is not in the ring.");
        _keys = new Keys(activeId, new Dictionary<uint, byte[]>(keys));
    }

    /// <summary>The key that new values are protected with.</summary>
    public uint ActiveId => _keys.ActiveId;

    public IEnumerable<uint> Ids => _keys.Ids;

    /// <summary>Called when a row names a key that is not in the ring: puts newer keys in place if there are any.</summary>
    public Action? Renew { get; set; }

    public bool Contains(uint id) => _keys.Ids.Contains(id);

    /// <summary>HKDF-Expand (RFC 5869 §2.3) of a ring key; ring keys are uniformly random, so there is nothing to extract.</summary>
    /// <exception cref="CryptographicException">The ring has no such key. Never treated as "does not match".</exception>
    public byte[] SubKey(uint keyId, KeyPurpose purpose)
    {
        if (_keys.SubKey(keyId, purpose) is { } known) return known;
        Renew?.Invoke(); // or somebody else has just done so: look again in any case
        return _keys.SubKey(keyId, purpose) ?? throw new CryptographicException($"The key ring has no key {keyId:x8}.");
    }

    /// <summary>Tells whether another ring's key hides behind the same id, without telling the key.</summary>
    public byte[] CheckValue(uint keyId) =>
        HMACSHA256.HashData(SubKey(keyId, KeyPurpose.RingCheck), "mfa.v1 key ring"u8)[..16];

    /// <summary>Puts another ring's keys in place of these, all at once: who reads sees the old ones or the new ones.</summary>
    public void TakeOver(KeyRing newer) => _keys = newer._keys;

    private sealed class Keys(uint activeId, Dictionary<uint, byte[]> keys)
    {
        private readonly ConcurrentDictionary<(uint, KeyPurpose), byte[]> _subKeys = new();

        public uint ActiveId => activeId;

        public Dictionary<uint, byte[]>.KeyCollection Ids => keys.Keys;

        public byte[]? SubKey(uint keyId, KeyPurpose purpose) => !keys.TryGetValue(keyId, out var key) ? null : _subKeys.GetOrAdd(
            (keyId, purpose),
            static (which, key) => HKDF.Expand(HashAlgorithmName.SHA256, key, KeyBytes, Encoding.ASCII.GetBytes($"mfa.v1 {which.Item2}")),
            key);
    }
}
