using System.Text;
using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Tests.Domain;

/// <summary>The published test vectors, through the check that the server runs.</summary>
public sealed class RfcVectorTests
{
    private const string Seed20 = "12345678901234567890";
    private const string Seed32 = "12345678901234567890123456789012";
    private const string Seed64 = "1234567890123456789012345678901234567890123456789012345678901234";

    /// <summary>RFC 4226 appendix D: a time step is the counter, so step n must take the n-th code and no other.</summary>
    [Theory]
    [InlineData(0, "755224")]
    [InlineData(1, "287082")]
    [InlineData(2, "359152")]
    [InlineData(3, "969429")]
    [InlineData(4, "338314")]
    [InlineData(5, "254676")]
    [InlineData(6, "287922")]
    [InlineData(7, "162583")]
    [InlineData(8, "399871")]
    [InlineData(9, "520489")]
    public void Counters_of_RFC_4226_appendix_D(long counter, string code)
    {
        var totp = new TotpParameters(OtpAlgorithm.Sha1, 6, 30);

        Assert.Equal(counter, Check(Seed20, totp, code, counter * 30));
        Assert.Null(Check(Seed20, totp, code, (counter + 1) * 30));
    }

    /// <summary>RFC 6238 appendix B, all 18 values.</summary>
    [Theory]
    [InlineData(59L, "94287082", "46119246", "90693936")]
    [InlineData(1111111109L, "07081804", "68084774", "25091201")]
    [InlineData(1111111111L, "14050471", "67062674", "99943326")]
    [InlineData(1234567890L, "89005924", "91819424", "93441116")]
    [InlineData(2000000000L, "69279037", "90698825", "38618901")]
    [InlineData(20000000000L, "65353130", "77737706", "47863826")]
    public void Times_of_RFC_6238_appendix_B(long seconds, string sha1, string sha256, string sha512)
    {
        var step = seconds / 30;

        Assert.Equal(step, Check(Seed20, new TotpParameters(OtpAlgorithm.Sha1, 8, 30), sha1, seconds));
        Assert.Equal(step, Check(Seed32, new TotpParameters(OtpAlgorithm.Sha256, 8, 30), sha256, seconds));
        Assert.Equal(step, Check(Seed64, new TotpParameters(OtpAlgorithm.Sha512, 8, 30), sha512, seconds));
    }

    private static long? Check(string seed, TotpParameters totp, string code, long seconds)
    {
        using var secret = new OpenSecret(Encoding.ASCII.GetBytes(seed));
        return TotpMatch.Newest(secret.Bytes, totp, tolerance: 0, OtpCode.Parse(code)!, DateTimeOffset.FromUnixTimeSeconds(seconds));
    }
}
