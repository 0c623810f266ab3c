using System.Security.Cryptography;
using System.Text;

namespace Mfa.Server.Protection;

/// <summary>What is hashed under the standing key.</summary>
internal enum StandingPurpose
{
    Requests,
    SendCounts,
}

/// <summary>
/// A random key that stays while the ring's keys come and go, for keyed hashes that are looked up or compared by value. Under
/// a ring key a rotation would start every limit on sending anew and make a repeated request look like another one. It lies
/// in the database, sealed under the ring, and is sealed anew like everything else.
/// </summary>
internal sealed class StandingKey(byte[] key)
{
    private readonly byte[][] _subKeys = [.. Enum.GetValues<StandingPurpose>().Select(purpose =>
        HKDF.Expand(HashAlgorithmName.SHA256, key, KeyRing.KeyBytes, Encoding.ASCII.GetBytes($"mfa.v1 standing {purpose}")))];

    public static byte[] NewBytes() => RandomNumberGenerator.GetBytes(KeyRing.KeyBytes);

    public byte[] Hash(StandingPurpose purpose, byte[] value) => HMACSHA256.HashData(_subKeys[(int)purpose], value);
}
