using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Mfa.Server.Domain;

/// <summary>Finds the time step a code belongs to (RFC 6238 §4.2). Says nothing about whether it may still be used.</summary>
internal static class TotpMatch
{
    /// <summary>The most steps each way that any server may be set to accept: no code was ever accepted further from its time.</summary>
    public const int MostTolerance = 2;

    private const int LongestHash = 64;

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
        var current = StepAt(now, totp);
        long? newest = null;
        Span<byte> expected = stackalloc byte[totp.Digits];
        for (var step = current - tolerance; step <= current + tolerance; step++)
        {
            Compute(secret, totp, step, expected);
            if (CryptographicOperations.FixedTimeEquals(expected, code.Bytes)) newest = step;
        }

        CryptographicOperations.ZeroMemory(expected);
        return newest;
    }

    /// <summary>
    /// The code of a step, RFC 4226 §5.3. Not Otp.NET's, which takes five times as long; the tests compare the two.
    /// </summary>
    private static void Compute(ReadOnlySpan<byte> secret, TotpParameters totp, long step, Span<byte> digits)
    {
        Span<byte> counter = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);

        // 1. HS = HMAC(K, C)
        Span<byte> buffer = stackalloc byte[LongestHash];
        var hash = buffer[..Hmac(totp.Algorithm, secret, counter, buffer)];

        // 2. Sbits = DT(HS): four bytes from where the last four bits point to, without the sign
        var number = BinaryPrimitives.ReadUInt32BigEndian(hash[(hash[^1] & 0xF)..]) & 0x7FFF_FFFF;

        // 3. D = Snum mod 10^Digits, from its last digit on
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            digits[i] = (byte)('0' + number % 10);
            number /= 10;
        }

        CryptographicOperations.ZeroMemory(buffer);
    }

#pragma warning disable CA5350 // RFC 6238 is HMAC-SHA1; HMAC does not rest on the collision resistance that SHA-1 lost
    private static int Hmac(OtpAlgorithm algorithm, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> counter, Span<byte> hash) => algorithm switch
    {
        OtpAlgorithm.Sha1 => HMACSHA1.HashData(secret, counter, hash),
        OtpAlgorithm.Sha256 => HMACSHA256.HashData(secret, counter, hash),
        OtpAlgorithm.Sha512 => HMACSHA512.HashData(secret, counter, hash),
        OtpAlgorithm.Unspecified => throw new InvalidOperationException("An enrollment without an algorithm."),
    };
#pragma warning restore CA5350
}
