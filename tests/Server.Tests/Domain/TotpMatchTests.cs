using System.Text;
using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Tests.Domain;

public sealed class TotpMatchTests
{
    private static readonly TotpParameters Usual = new(OtpAlgorithm.Sha1, 6, 30);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(TotpMatch.MostTolerance)]
    public void So_many_steps_each_way_are_accepted_and_no_more(int tolerance)
    {
        const long Step = 50_000_000;
        for (var offset = -5; offset <= 5; offset++)
            Assert.Equal(Math.Abs(offset) <= tolerance ? Step + offset : null, Match(CodeAt(Step + offset), Step, tolerance));
    }

    /// <summary>RFC 4226's seed has the code 070562 at two neighbouring steps. Using it up must use up both.</summary>
    [Fact]
    public void Of_two_steps_with_the_same_code_the_newest_counts()
    {
        const long Earlier = 50_424_280;
        const long Later = 50_424_281;

        Assert.Equal(Later, Match("070562", Earlier, tolerance: 1));
        Assert.Equal(Later, Match("070562", Later, tolerance: 1));
        Assert.Equal(Earlier, Match("070562", Earlier, tolerance: 0));
    }

    [Fact]
    public void A_code_of_another_algorithm_length_or_period_matches_nothing()
    {
        const long Seconds = 1_111_111_111;
        TotpParameters[] triples =
        [
            Usual, new(OtpAlgorithm.Sha256, 6, 30), new(OtpAlgorithm.Sha512, 6, 30), new(OtpAlgorithm.Sha1, 8, 30), new(OtpAlgorithm.Sha1, 6, 60),
        ];
        using var secret = new OpenSecret(Encoding.ASCII.GetBytes("12345678901234567890"));
        var now = DateTimeOffset.FromUnixTimeSeconds(Seconds);

        foreach (var enrolled in triples)
        {
            foreach (var used in triples)
            {
                var code = OtpCode.Parse(Reference.Code(secret, used, Seconds / used.PeriodSeconds))!;
                var match = TotpMatch.Newest(secret.Bytes, enrolled, tolerance: 1, code, now);
                Assert.Equal(enrolled == used, match is not null);
            }
        }
    }

    private static long? Match(string code, long step, int tolerance)
    {
        using var secret = new OpenSecret(Encoding.ASCII.GetBytes("12345678901234567890"));
        return TotpMatch.Newest(secret.Bytes, Usual, tolerance, OtpCode.Parse(code)!, DateTimeOffset.FromUnixTimeSeconds(step * 30));
    }

    private static string CodeAt(long step)
    {
        using var secret = new OpenSecret(Encoding.ASCII.GetBytes("12345678901234567890"));
        return Reference.Code(secret, Usual, step);
    }
}
