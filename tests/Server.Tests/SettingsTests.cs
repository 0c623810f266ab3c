using Mfa.Server.Domain;
using Mfa.Server.Flows;

namespace Mfa.Server.Tests;

public sealed class SettingsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_defaults_are_those_of_the_contract()
    {
        var settings = Read();

        Assert.Equal(new TotpParameters(OtpAlgorithm.Sha1, 6, 30), settings.Enrollment.Totp);
        Assert.Equal((1, TimeSpan.FromHours(1)), (settings.Enrollment.ToleranceSteps, settings.Enrollment.Lifetime));
        Assert.Equal(new GuessPolicy(5, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), 100), settings.Guesses.Policies.Factor);
        Assert.False(settings.Reflection);
    }

    [Theory]
    [InlineData("enrollment:digits", "6", "8")]
    [InlineData("enrollment:periodSeconds", "15", "60")]
    [InlineData("enrollment:toleranceSteps", "0", "2")]
    [InlineData("enrollment:lifetimeSeconds", "60", "86400")]
    [InlineData("guesses:run", "3", "10")]
    [InlineData("guesses:cap", "10", "100")]
    [InlineData("passwords:rounds", "210000", "10000000")]
    [InlineData("limits:messageBytes", "4096", "1048576")]
    [InlineData("limits:headers", "16", "256")]
    [InlineData("limits:headerBytes", "4096", "65536")]
    [InlineData("limits:streams", "1", "1000")]
    [InlineData("limits:connections", "1", "100000")]
    [InlineData("limits:connectionsPerPeer", "1", "100000")]
    [InlineData("limits:idleSeconds", "5", "3600")]
    [InlineData("limits:pingSeconds", "1", "3600")]
    [InlineData("limits:handshakeSeconds", "1", "60")]
    [InlineData("limits:headerSeconds", "1", "60")]
    [InlineData("limits:bodySeconds", "2", "60")]
    [InlineData("limits:graceSeconds", "1", "300")]
    [InlineData("passwords:perPeer", "1", "1000")]
    [InlineData("passwords:perName", "1", "1000")]
    [InlineData("quota:callsPerSecond", "0", "1000000")]
    [InlineData("quota:callsBurst", "1", "1000000")]
    [InlineData("quota:guessesPerSecond", "0", "1000000")]
    [InlineData("quota:personCallsPerSecond", "1", "1000")]
    [InlineData("quota:personGuessesBurst", "1", "1000")]
    [InlineData("quota:failuresPerSecond", "1", "100000")]
    [InlineData("quota:failuresBurst", "20", "100000")]
    [InlineData("spray:windowSeconds", "10", "86400")]
    [InlineData("spray:wrong", "10", "10000000")]
    [InlineData("spray:accounts", "2", "1000")]
    [InlineData("spray:total", "10", "100000000")]
    [InlineData("spray:pauseSeconds", "1", "86400")]
    public void A_number_is_taken_from_its_least_to_its_most(string name, string least, string most)
    {
        Read($"{name}={least}");
        Read($"{name}={most}");
        Assert.Contains($"{name} ", Refusal($"{name}={int.Parse(least) - 1}"));
        Assert.Contains($"{least} to {most}", Refusal($"{name}={int.Parse(most) + 1}"));
    }

    [Theory]
    [InlineData("enrollment:digits=")]
    [InlineData("enrollment:digits= 6")]
    [InlineData("enrollment:digits=six")]
    [InlineData("enrollment:algorithm=MD5")]
    [InlineData("enrollment:issuer=a:b")]
    [InlineData("server:reflection=maybe")]
    [InlineData("log:level=Loud")]
    public void A_value_of_another_form_is_refused_with_what_is_accepted(string set) => Assert.Contains("(from --set)", Refusal(set));

    [Fact]
    public void An_unknown_name_is_refused_with_the_known_ones() => Assert.Contains("guesses:run", Refusal("guesses:rum=5"));

    [Fact]
    public void A_first_lock_longer_than_the_longest_is_refused() =>
        Assert.Contains("longestLockSeconds", Refusal("guesses:firstLockSeconds=3600", "guesses:longestLockSeconds=60"));

    [Fact]
    public void The_command_line_beats_the_file_and_every_refusal_names_its_source()
    {
        var file = _folder.File("appsettings.json");
        File.WriteAllText(file, """{ "Mfa": { "Guesses": { "Run": 7 }, "Enrollment": { "Digits": 8 } } }""");
        var settings = Read("guesses:run=4");
        Assert.Equal((4, 8), (settings.Guesses.Run, settings.Enrollment.Totp.Digits));

        File.WriteAllText(file, """{ "Mfa": { "Guesses": { "Run": 70 } } }""");
        Assert.Contains(file, Refusal());
        File.WriteAllText(file, "{ not json");
        Assert.Contains(file, Refusal());
    }

    [Fact]
    public void Recovery_codes_keep_a_short_lock_and_enrollments_have_no_cap()
    {
        var policies = new GuessOptions().Policies;

        Assert.Equal(policies.Recovery.FirstLock, policies.Recovery.LongestLock);
        Assert.Null(policies.Enrollment.Cap);
    }

    private Settings Read(params string[] sets) => SettingSources.Read(new Settings(), _folder.Path, sets);

    private string Refusal(params string[] sets) => Assert.Throws<StartRefusedException>(() => Read(sets)).Message;
}
