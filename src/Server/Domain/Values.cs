using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Mfa.Server.Domain;

/// <summary>Names an account: the tenant it belongs to and the id that tenant gave it, opaque and case-sensitive.</summary>
internal readonly record struct AccountKey(string Tenant, string Account)
{
    public const string AcceptedName = "give 1 to 128 of A-Z a-z 0-9 . _ @ + -";

    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@+-");

    /// <summary>The form of account ids, and of the names of tenants, keys and people.</summary>
    public static bool IsName(string text) => text.Length is >= 1 and <= 128 && !text.AsSpan().ContainsAnyExcept(Alphabet);

    /// <summary>
    /// 32 bits of SHA-256, the same on every server and stored in the audit trail: never change it. Short, because lists are kept of
    /// it; accounts that share one are told apart by their names. 0 where no account is named.
    /// </summary>
    public long Digest()
    {
        if (Account.Length == 0) return 0;
        var most = Encoding.UTF8.GetMaxByteCount(Tenant.Length + 1 + Account.Length);
        Span<byte> name = most <= 1024 ? stackalloc byte[most] : new byte[most];
        var length = Encoding.UTF8.GetBytes(Tenant, name);
        name[length++] = 0;
        length += Encoding.UTF8.GetBytes(Account, name[length..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(name[..length], hash);
        return BinaryPrimitives.ReadUInt32BigEndian(hash);
    }
}

/// <summary>How an account proves its second factor. The numbers are stored: never renumber.</summary>
internal enum Method
{
    Unspecified = 0,
    Email = 1,
    Authenticator = 2,
    Sms = 3,
}

/// <summary>What a code was checked against. The numbers are stored in remembered answers: never renumber.</summary>
internal enum ProvenBy
{
    Unspecified = 0,
    Email = 1,
    Authenticator = 2,
    Sms = 3,
    RecoveryCode = 4,
}

/// <summary>The hash under the HMAC of RFC 6238 §1.2. The numbers are stored: never renumber.</summary>
internal enum OtpAlgorithm
{
    Unspecified = 0,
    Sha1 = 1,
    Sha256 = 2,
    Sha512 = 3,
}

/// <summary>What one enrollment computes its codes with. An enrollment keeps its own; settings only shape new ones.</summary>
/// <param name="Algorithm">The hash.</param>
/// <param name="Digits">Length of a code, 6 to 8.</param>
/// <param name="PeriodSeconds">Length of a time step X (RFC 6238 §4.1), 15 to 60.</param>
internal readonly record struct TotpParameters(OtpAlgorithm Algorithm, int Digits, int PeriodSeconds)
{
    public const int FewestDigits = 6;

    public const int MostDigits = 8;

    public const int ShortestPeriod = 15;

    public const int LongestPeriod = 60;

    /// <summary>Stands where codes are sent: only their length matters.</summary>
    public static readonly TotpParameters Sent = new(OtpAlgorithm.Sha1, OtpCode.SentDigits, PeriodSeconds: 30);

    /// <summary>Bytes of a secret: as long as the hash (RFC 4226 §4 R6, RFC 6238 §5.1).</summary>
    public int SecretBytes => Algorithm switch
    {
        OtpAlgorithm.Sha1 => 20,
        OtpAlgorithm.Sha256 => 32,
        OtpAlgorithm.Sha512 => 64,
        OtpAlgorithm.Unspecified => throw new InvalidOperationException("An enrollment without an algorithm."),
    };
}

/// <summary>Bytes that only the key ring opens: format, key id, salt, tag, ciphertext (see Protection/Sealer).</summary>
internal sealed record SealedBytes(byte[] Bytes)
{
    public override string ToString() => nameof(SealedBytes);
}
