using System.Buffers.Binary;
using System.Globalization;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using OtpNet;

namespace Mfa.Server.Tests;

/// <summary>RFC 4226 §5.3 written out once more, so that the product's codes are compared with other code than its own.</summary>
internal static class Reference
{
    public static string Code(OpenSecret secret, TotpParameters totp, long step) => Code(secret.Bytes.ToArray(), totp, step);

    public static string Code(string base32, long step) =>
        Code(Base32Encoding.ToBytes(base32), new TotpParameters(OtpAlgorithm.Sha1, 6, 30), step);

    private static string Code(byte[] key, TotpParameters totp, long step)
    {
        var message = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(message, step);
#pragma warning disable CA5350 // RFC 6238 is HMAC-SHA1
        using System.Security.Cryptography.HMAC hmac = totp.Algorithm switch
        {
            OtpAlgorithm.Sha256 => new System.Security.Cryptography.HMACSHA256(key),
            OtpAlgorithm.Sha512 => new System.Security.Cryptography.HMACSHA512(key),
            _ => new System.Security.Cryptography.HMACSHA1(key),
        };
#pragma warning restore CA5350
        var hash = hmac.ComputeHash(message);
        var number = BinaryPrimitives.ReadUInt32BigEndian(hash.AsSpan(hash[^1] & 0xF)) & 0x7FFF_FFFF;
        var modulus = totp.Digits switch { 6 => 1_000_000u, 7 => 10_000_000u, _ => 100_000_000u };
        return (number % modulus).ToString(CultureInfo.InvariantCulture).PadLeft(totp.Digits, '0');
    }
}
