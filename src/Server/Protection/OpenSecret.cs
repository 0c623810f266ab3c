using System.Security.Cryptography;
using OtpNet;

namespace Mfa.Server.Protection;

/// <summary>
/// A shared secret while it is needed. It computes Otp.NET's HMACs itself, so that the library never holds a copy, and
/// wipes itself when disposed of.
/// </summary>
internal sealed class OpenSecret(byte[] key) : IKeyProvider, IDisposable
{
    public static OpenSecret New(int bytes) => new(RandomNumberGenerator.GetBytes(bytes));

    public ReadOnlySpan<byte> Bytes => key;

#pragma warning disable CA5350 // RFC 6238 is HMAC-SHA1; HMAC does not rest on the collision resistance that SHA-1 lost
    public byte[] ComputeHmac(OtpHashMode mode, byte[] data) => mode switch
    {
        OtpHashMode.Sha1 => HMACSHA1.HashData(key, data),
        OtpHashMode.Sha256 => HMACSHA256.HashData(key, data),
        OtpHashMode.Sha512 => HMACSHA512.HashData(key, data),
        _ => throw new ArgumentOutOfRangeException(nameof(mode)),
    };
#pragma warning restore CA5350

    /// <summary>Base32 without padding (RFC 4648 §6). Only for the reply that creates the secret.</summary>
    public string Reveal() => Base32Encoding.ToString(key).TrimEnd('=');

    public void Dispose() => CryptographicOperations.ZeroMemory(key);

    public override string ToString() => nameof(OpenSecret);
}
