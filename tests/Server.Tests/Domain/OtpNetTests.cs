using CsCheck;
using Mfa.Server.Domain;
using OtpNet;

namespace Mfa.Server.Tests.Domain;

/// <summary>The check of the hot path computes its own codes; the library says whether they are right.</summary>
public sealed class OtpNetTests
{
    private static readonly Gen<TotpParameters> Parameters =
        from algorithm in Gen.Int[(int)OtpAlgorithm.Sha1, (int)OtpAlgorithm.Sha512]
        from digits in Gen.Int[6, 8]
        from period in Gen.Int[15, 60]
        select new TotpParameters((OtpAlgorithm)algorithm, digits, period);

    [Fact]
    public void Every_code_of_the_library_is_found_at_its_step() =>
        Gen.Select(Parameters, Gen.Byte.Array[16, 64], Gen.Long[1, 10_000_000_000]).Sample((totp, secret, seconds) =>
        {
            var mode = totp.Algorithm switch { OtpAlgorithm.Sha256 => OtpHashMode.Sha256, OtpAlgorithm.Sha512 => OtpHashMode.Sha512, _ => OtpHashMode.Sha1 };
            var moment = DateTimeOffset.FromUnixTimeSeconds(seconds);
            var code = new Totp(secret, totp.PeriodSeconds, mode, totp.Digits).ComputeTotp(moment.UtcDateTime);

            Assert.Equal(seconds / totp.PeriodSeconds, TotpMatch.Newest(secret, totp, tolerance: 0, OtpCode.Parse(code)!, moment));
        });
}
