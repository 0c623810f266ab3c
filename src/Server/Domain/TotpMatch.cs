using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Mfa.Server.Domain;

/// <summary>Finds the time step a code belongs to (RFC 6238 §4.2). Says nothing about whether it may still be used.</summary>
internal static class TotpMatch
{
    /// <summary>The most steps each way that any server may be set to accept: no code was ever accepted further from its time.</summary>
    public const int MostTolerance = 2;

    private const int LongestHash = 64;
    private const int MostHashes = 2 * HmacSha1.Lanes; // of the widest window, five steps

    /// <summary>The time step T that a moment lies in, counted from the Unix epoch (RFC 6238 §4.2, T0 = 0).</summary>
    public static long StepAt(DateTimeOffset now, TotpParameters totp) => now.ToUnixTimeSeconds() / totp.PeriodSeconds;

    /// <summary>
    /// The newest step within the window whose code this is, or null. Every step of the window is computed and compared,
    /// so the time taken tells nothing about which one matched.
    /// </summary>
    /// <param name="secret">The opened secret.</param>
    /// <param name="tolerance">Steps accepted each way, for clocks that differ and people who type (RFC 6238 §6).</param>
    public static long? Newest(ReadOnlySpan<byte> secret, TotpParameters totp, int tolerance, OtpCode code, DateTimeOffset now)
    {
        var (oldest, steps) = (StepAt(now, totp) - tolerance, 2 * tolerance + 1);
        Span<byte> hashes = stackalloc byte[MostHashes * LongestHash];
        Span<byte> expected = stackalloc byte[totp.Digits];
        var length = Hash(totp.Algorithm, secret, oldest, steps, hashes);
        long? newest = null;
        for (var i = 0; i < steps; i++)
        {
            Truncate(hashes.Slice(i * length, length), expected);
            if (CryptographicOperations.FixedTimeEquals(expected, code.Bytes)) newest = oldest + i;
        }

        CryptographicOperations.ZeroMemory(hashes);
        CryptographicOperations.ZeroMemory(expected);
        return newest;
    }

    /// <summary>RFC 4226 §5.3, step 1: HS = HMAC(K, C), of so many counters in a row.</summary>
    /// <returns>The length of a hash; they stand one after the other.</returns>
    private static int Hash(OtpAlgorithm algorithm, ReadOnlySpan<byte> secret, long first, int count, Span<byte> hashes)
    {
        if (algorithm == OtpAlgorithm.Sha1)
        {
            using var hmac = new HmacSha1(secret);
            for (var i = 0; i < count; i += HmacSha1.Lanes) hmac.Hash(first + i, hashes[(i * HmacSha1.HashBytes)..]);
            return HmacSha1.HashBytes;
        }

        Span<byte> counter = stackalloc byte[sizeof(long)];
        var length = 0;
        for (var i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteInt64BigEndian(counter, first + i);
            length = algorithm switch
            {
                OtpAlgorithm.Sha256 => HMACSHA256.HashData(secret, counter, hashes[(i * length)..]),
                OtpAlgorithm.Sha512 => HMACSHA512.HashData(secret, counter, hashes[(i * length)..]),
                _ => throw new InvalidOperationException("An enrollment without an algorithm."),
            };
        }

        return length;
    }

    /// <summary>RFC 4226 §5.3, steps 2 and 3.</summary>
    private static void Truncate(ReadOnlySpan<byte> hash, Span<byte> digits)
    {
        // 2. Sbits = DT(HS): four bytes from where the last four bits point to, without the sign
        var number = BinaryPrimitives.ReadUInt32BigEndian(hash[(hash[^1] & 0xF)..]) & 0x7FFF_FFFF;

        // 3. D = Snum mod 10^Digits, from its last digit on
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            digits[i] = (byte)('0' + number % 10);
            number /= 10;
        }
    }
}
