using System.Security.Cryptography;
using System.Text;
using Mfa.Server.Domain;

namespace Mfa.Server.Protection;

/// <summary>
/// Keyed hashes of recovery codes: all that is stored of them. 120 random bits need no slow hash (NIST SP 800-63B
/// §3.1.2.2 asks for one below 112 bits); the key makes a stolen database useless even for confirming a guess.
/// </summary>
internal sealed class RecoveryHashes(KeyRing ring)
{
    private const int HashBytes = 16;

    private readonly CarriedHashes _stored = new(ring, KeyPurpose.RecoveryCodes, RecoveryCode.PerAccount * HashBytes);

    public RecoverySet NewSet(AccountKey account, IReadOnlyList<RecoveryCode> codes)
    {
        var setId = Guid.NewGuid();
        var keyId = ring.ActiveId;
        var key = ring.SubKey(keyId, KeyPurpose.RecoveryCodes);
        var hashes = new byte[codes.Count * HashBytes];
        for (var i = 0; i < codes.Count; i++)
            Hash(key, account, setId, codes[i]).CopyTo(hashes.AsSpan(i * HashBytes));
        return new RecoverySet(setId, keyId, hashes, Used: 0);
    }

    /// <summary>A set of codes that came from elsewhere, fewer than a whole one: the rest counts as used.</summary>
    public RecoverySet PartialSet(AccountKey account, IReadOnlyList<RecoveryCode> codes)
    {
        var set = NewSet(account, codes);
        byte[] hashes = [.. set.Hashes, .. RandomNumberGenerator.GetBytes(RecoveryCode.PerAccount * HashBytes - set.Hashes.Length)];
        return set with { Hashes = hashes, Used = (byte)(byte.MaxValue << codes.Count) };
    }

    /// <summary>Stands where an account came without recovery codes: none is left, and its owner should make new ones.</summary>
    public RecoverySet NoSet() =>
        new(Guid.NewGuid(), ring.ActiveId, RandomNumberGenerator.GetBytes(RecoveryCode.PerAccount * HashBytes), Used: byte.MaxValue, Stale: true);

    /// <summary>Compares with every code of the set, used ones too, so that the time tells nothing.</summary>
    public RecoveryEvidence Compare(AccountKey account, RecoverySet set, RecoveryCode code)
    {
        var (key, hashes) = _stored.Open(set.KeyId, set.Hashes, Sealer.RecoveryBinding(account, set.Id));
        var hash = Hash(key, account, set.Id, code);
        int? position = null;
        for (var i = 0; i < RecoveryCode.PerAccount; i++)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, hashes.AsSpan(i * HashBytes, HashBytes))) position = i;
        }

        return new RecoveryEvidence(set.Id, position);
    }

    /// <returns>The set under the active key; the same instance when it is already.</returns>
    public RecoverySet CarryOver(AccountKey account, RecoverySet set)
    {
        if (set.KeyId == ring.ActiveId) return set;
        var (keyId, hashes) = _stored.CarryOver(set.KeyId, set.Hashes, Sealer.RecoveryBinding(account, set.Id));
        return set with { KeyId = keyId, Hashes = hashes };
    }

    /// <summary>The account and the set are part of the input: hashes copied elsewhere match nothing.</summary>
    private static ReadOnlySpan<byte> Hash(byte[] key, AccountKey account, Guid setId, RecoveryCode code)
    {
        // Fixed-length fields first and a NUL between the names, which cannot hold one: no two inputs look alike.
        byte[] input = [.. setId.ToByteArray(), .. code.Bytes, .. Encoding.UTF8.GetBytes($"{account.Tenant}\0{account.Account}")];
        return HMACSHA256.HashData(key, input).AsSpan(0, HashBytes);
    }
}
