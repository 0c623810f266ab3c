using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Doctor;

/// <summary>The doctor reads what `serve` would read, and tells beforehand what would stop the start.</summary>
public sealed class SettingTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_bad_setting_from_any_source()
    {
        var option = await ExamineAsync("--set", "guesses:run=2");
        var variable = await Examination.OfAsync(_folder.Path, await FolderAsync(), ("MFA__guesses__rum", "5"));
        await File.WriteAllTextAsync(_folder["appsettings.json"], """{ "Mfa": { "guesses": { "run": 99 } } }""", TestContext.Current.CancellationToken);
        var file = await ExamineAsync();

        foreach (var (doctor, source) in new[] { (option, "--set"), (variable, "MFA__guesses__rum"), (file, "appsettings.json") })
        {
            Assert.Equal(["settings"], doctor.Failing);
            Assert.Contains(source, doctor["settings"].Detail, StringComparison.Ordinal);
            Assert.Equal("OK", doctor["key ring"].State); // the rest is looked at all the same
        }
    }

    [Theory]
    [InlineData("listeners", "loopback", "--listen", "http://0.0.0.0:7443")]
    [InlineData("listeners", "mfa-server init --tls", "--listen", "https://127.0.0.1:7443")]
    [InlineData("listeners", "tls:keyFile", "--listen", "https://127.0.0.1:7443", "--set", "tls:certificateFile=/etc/hostname")]
    [InlineData("listeners", "--dev", "--dev", "--web", "https://0.0.0.0:7480", "--set", "tls:certificateFile=CRT", "--set", "tls:keyFile=KEY")]
    [InlineData("message texts", "messages:folder", "--set", "messages:folder=/nowhere")]
    [InlineData("message texts", "messages:language", "--set", "messages:language=xx")]
    [InlineData("providers", "smtp:from", "--set", "smtp:host=127.0.0.1", "--set", "smtp:port=1")]
    [InlineData("providers", "kannel:passwordFile", "--set", "kannel:url=http://127.0.0.1:1/")]
    [InlineData("providers", "--dev", "--dev", "--set", "smtp:host=127.0.0.1", "--set", "smtp:from=a@example.org")]
    public async Task What_would_stop_the_start(string check, string says, params string[] options)
    {
        var tls = new TlsFolder(_folder["tls"]);
        tls.Write(Certificates.For("127.0.0.1"));

        var doctor = await ExamineAsync([.. options.Select(o => o.Replace("CRT", tls.Certificate, StringComparison.Ordinal).Replace("KEY", tls.Key, StringComparison.Ordinal))]);

        Assert.Contains(check, doctor.Failing);
        Assert.Contains(says, doctor[check].Detail + doctor[check].Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, "WARN")]
    [InlineData(16, "OK")]
    public async Task A_certificate_says_how_long_it_lasts(int days, string state)
    {
        var tls = new TlsFolder(_folder["tls"]);
        tls.Write(Certificates.For("127.0.0.1", daysLeft: days));

        var doctor = await ExamineAsync(["--listen", "https://127.0.0.1:7443", .. tls.Settings.SelectMany(s => new[] { "--set", s })]);

        Assert.Equal((0, state), (doctor.ExitCode, doctor["listeners"].State));
        Assert.Contains($"expires in {days - 1} days", doctor["listeners"].Detail, StringComparison.Ordinal); // and some hours
    }

    [Theory]
    [InlineData("10:00")]
    [InlineData("a b")]
    [InlineData("https://example.org")]
    [InlineData("")]
    public async Task A_time_server_that_is_none(string name) =>
        Assert.Contains("doctor:clock", (await ExamineAsync("--set", $"doctor:clock={name}"))["settings"].Detail, StringComparison.Ordinal);

    private async Task<Examination> ExamineAsync(params string[] options) => await Examination.OfAsync(_folder.Path, [.. await FolderAsync(), .. options]);

    private async Task<string[]> FolderAsync()
    {
        if (!Directory.Exists(_folder["data"])) Assert.Equal(0, (await ServerProgram.RunAsync("init", "--data", _folder["data"])).ExitCode);
        return ["--data", _folder["data"]];
    }
}
