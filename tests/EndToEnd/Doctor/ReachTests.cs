using System.Net;
using System.Net.Sockets;
using Mfa.EndToEnd.Delivery;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Doctor;

/// <summary>Mail servers and gateways as the doctor finds them; it sends no message.</summary>
public sealed class ReachTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_mail_server_that_lets_us_in()
    {
        await using var mail = await MailPeer.StartAsync();

        var doctor = await ExamineAsync(mail.Settings);
        await mail.Program.EventsAsync("goodbye", 1);

        Assert.Equal(("OK", "OK"), (doctor["smtp"].State, doctor["providers"].State));
        Assert.True(Assert.Single(mail.Program.Events("login")).GetProperty("right").GetBoolean());
        Assert.Equal((0, 0), (mail.Count("recipient"), mail.Count("mail")));
    }

    [Theory]
    [InlineData("clear", "no STARTTLS")]
    [InlineData("hang", "does not answer in time")]
    [InlineData("another authority", "certificate that is trusted")]
    [InlineData("another name", "certificate that is trusted")]
    [InlineData("expired", "certificate that is trusted")]
    [InlineData("wrong password", "refuses the login")]
    [InlineData("away", "cannot be reached")]
    public async Task A_mail_server_that_does_not(string fault, string says)
    {
        await using var mail = await MailPeer.StartAsync(fault is "clear" or "hang" ? fault : "none", fault switch
        {
            "another authority" => Certificates.OfAnotherAuthority("localhost"),
            "another name" => Certificates.For("mail.example.org"),
            "expired" => Certificates.Expired("localhost"),
            _ => null,
        });
        var settings = mail.Settings;
        if (fault == "wrong password") settings = [.. settings, $"smtp:passwordFile={Secret("wrong")}"];
        if (fault == "away") await mail.Program.KillAsync();

        var doctor = await ExamineAsync(settings);

        Assert.Equal(["smtp"], doctor.Failing);
        Assert.Contains(says, doctor["smtp"].Detail, StringComparison.Ordinal);
        Assert.Contains("smtp:", doctor["smtp"].Remedy, StringComparison.Ordinal);
        Assert.Equal(0, mail.Count("mail"));
        if (fault != "wrong password") Assert.Equal(0, mail.Count("login"));
    }

    [Fact]
    public async Task A_gateway_that_is_there_gets_no_message()
    {
        await using var sms = await SmsProvider.StartAsync();

        var doctor = await ExamineAsync(sms.Settings);

        Assert.Equal("OK", doctor["twilio"].State);
        Assert.Empty(sms.Program.Events("sms").Concat(sms.Program.Events("refused")));
        Assert.DoesNotContain(sms.Token, doctor.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_that_is_away_or_somebody_else()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start(); // connects, and never says a word
        var certificates = Certificates.For("127.0.0.1");
        await using var server = await ServerProcess.StartWithTlsAsync(certificates);
        await File.WriteAllTextAsync(_folder["ca.pem"], certificates.Trusted, TestContext.Current.CancellationToken);
        string[] Settings(string url) => [$"twilio:url={url}", $"twilio:tokenFile={Secret("token")}", "twilio:account=a", "twilio:from=b"];

        var away = await ExamineAsync(Settings($"https://127.0.0.1:{FreePort.Next()}/"));
        var hangs = await ExamineAsync(Settings($"https://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/"));
        var stranger = await ExamineAsync(Settings(server.Web.ToString()));
        var known = await ExamineAsync(Settings(server.Web.ToString()), ("SSL_CERT_FILE", _folder["ca.pem"]));

        Assert.Contains("cannot be reached", away["twilio"].Detail, StringComparison.Ordinal);
        Assert.Contains("does not answer", hangs["twilio"].Detail, StringComparison.Ordinal);
        Assert.Contains("certificate that is trusted", stranger["twilio"].Detail, StringComparison.Ordinal);
        Assert.All((Examination[])[away, hangs, stranger], doctor => Assert.Equal(["twilio"], doctor.Failing));
        Assert.Equal("OK", known["twilio"].State);
    }

    [Fact]
    public async Task SMS_without_notices_is_warned_of_by_the_doctor_and_at_the_start() // CF9
    {
        await using var mail = await MailPeer.StartAsync();
        await using var sms = await SmsProvider.StartAsync();

        var alone = await ExamineAsync(sms.Settings);
        var muted = await ExamineAsync([.. sms.Settings, .. mail.Settings, "messages:mute=locked,replaced"]);
        var good = await ExamineAsync([.. sms.Settings, .. mail.Settings, "messages:mute=locked"]);
        await using var server = await ServerProcess.StartInProductionAsync(sms.Settings);
        await using var quiet = await ServerProcess.StartInProductionAsync([.. sms.Settings, .. mail.Settings, "messages:mute=locked", "log:level=Information"]);

        Assert.Equal(("WARN", "WARN", "OK"), (alone["providers"].State, muted["providers"].State, good["providers"].State));
        Assert.Contains("replaced", muted["providers"].Detail, StringComparison.Ordinal);
        Assert.Single(server.Lines, line => line.Contains("SMS without a mail server", StringComparison.Ordinal));
        Assert.DoesNotContain(quiet.Lines, line => line.Contains("SMS with", StringComparison.Ordinal));
    }

    private string Secret(string value)
    {
        File.WriteAllText(_folder["secret"], value);
        File.SetUnixFileMode(_folder["secret"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return _folder["secret"];
    }

    private async Task<Examination> ExamineAsync(string[] settings, params (string Name, string Value)[] environment)
    {
        if (!Directory.Exists(_folder["data"])) Assert.Equal(0, (await ServerProgram.RunAsync("init", "--data", _folder["data"])).ExitCode);
        return await Examination.OfAsync(_folder.Path, ["--data", _folder["data"], .. settings.SelectMany(s => new[] { "--set", s })], environment);
    }
}
