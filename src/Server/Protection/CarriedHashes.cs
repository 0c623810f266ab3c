using System.Security.Cryptography;
using Mfa.Server.Domain;

namespace Mfa.Server.Protection;

/// <summary>
/// Keyed hashes as they are stored. As made they are bare, under a sub-key of the ring key that their row names. What was
/// hashed is not known any more, so they cannot be made anew under another key: they are carried over instead, by sealing
/// them together with the sub-key that they were made with. From then on the ring key they came from is not needed.
/// </summary>
internal sealed class CarriedHashes(KeyRing ring, KeyPurpose purpose, int hashBytes)
{
    private readonly Sealer _sealer = new(ring);

    /// <returns>The sub-key that the hashes were made with, and the hashes, bare.</returns>
    /// <exception cref="CryptographicException">They do not open here. The caller must fail, not refuse.</exception>
    public (byte[] Key, byte[] Hashes) Open(uint keyId, byte[] stored, byte[] binding)
    {
        if (stored.Length == hashBytes) return (ring.SubKey(keyId, purpose), stored);
        var plain = _sealer.Open(new SealedBytes(stored), binding);
        if (plain.Length != KeyRing.KeyBytes + hashBytes) throw new CryptographicException("Not the hashes that belong here.");
        return (plain[..KeyRing.KeyBytes], plain[KeyRing.KeyBytes..]);
    }

    /// <returns>The same, sealed, and the key that it is under now.</returns>
    public (uint KeyId, byte[] Stored) CarryOver(uint keyId, byte[] stored, byte[] binding)
    {
        var (key, hashes) = Open(keyId, stored, binding);
        var carried = _sealer.Seal([.. key, .. hashes], binding);
        return (Sealer.KeyIdOf(carried), carried.Bytes);
    }
}
