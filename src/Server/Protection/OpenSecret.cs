using System.Security.Cryptography;
using OtpNet;

namespace Mfa.Server.Protection;

/// <summary>A shared secret while it is needed. Wipes itself when disposed of.</summary>
internal sealed class OpenSecret(byte[] key) : IDisposable
{
    public static OpenSecret New(int bytes) => new(RandomNumberGenerator.GetBytes(bytes));

    public ReadOnlySpan<byte> Bytes => key;

    /// <summary>Base32 without padding (RFC 4648 §6). Only for the reply that creates the secret.</summary>
    public string Reveal() => Base32Encoding.ToString(key).TrimEnd('=');

    public void Dispose() => CryptographicOperations.ZeroMemory(key);

    public override string ToString() => nameof(OpenSecret);
}
