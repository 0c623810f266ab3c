using System.Security.Cryptography;
using System.Text;
using OtpNet;

namespace Mfa.Server.Domain;

/// <summary>Finds the time step a code belongs to (RFC 6238 §4.2). Says nothing about whether it may still be used.</summary>
internal static class TotpMatch
{
    /// <summary>The most steps each way that any server may be set to accept: no code was ever accepted further from its time.</summary>
    public const int MostTolerance = 2;

    /// <summary>The time step T that a moment lies in, counted from the Unix epoch (RFC 6238 §4.2, T0 = 0).</summary>
    public static long StepAt(DateTimeOffset now, TotpParameters totp) => now.ToUnixTimeSeconds() / totp.PeriodSeconds;

    /// <summary>
    /// The newest step within the window whose code this is, or null. Every step of the window is computed and compared,
    /// so the time taken tells nothing about which one matched.
    /// </summary>
    /// <param name="secret">The opened secret; makes no copy of itself.</param>
    /// <param name="tolerance">Steps accepted each way, for clocks that differ and people who type (RFC 6238 §6).</param>
    public static long? Newest(IKeyProvider secret, TotpParameters totp, int tolerance, OtpCode code, DateTimeOffset now)
    {
        var generator = new Totp(secret, totp.PeriodSeconds, ModeOf(totp.Algorithm), totp.Digits);
        var current = StepAt(now, totp);
        long? newest = null;
        Span<byte> expected = stackalloc byte[totp.Digits];
        for (var step = current - tolerance; step <= current + tolerance; step++)
        {
            var moment = DateTimeOffset.FromUnixTimeSeconds(step * totp.PeriodSeconds);
            Encoding.ASCII.GetBytes(generator.ComputeTotp(moment.UtcDateTime), expected);
            if (CryptographicOperations.FixedTimeEquals(expected, code.Bytes)) newest = step;
        }

        return newest;
    }

    private static OtpHashMode ModeOf(OtpAlgorithm algorithm) => algorithm switch
    {
        OtpAlgorithm.Sha1 => OtpHashMode.Sha1,
        OtpAlgorithm.Sha256 => OtpHashMode.Sha256,
        OtpAlgorithm.Sha512 => OtpHashMode.Sha512,
        OtpAlgorithm.Unspecified => throw new InvalidOperationException("An enrollment without an algorithm."),
    };
}
