using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Transport;

/// <summary>TLS that is configured by half stops the start, with one line that names the setting (CF4, CF8).</summary>
public sealed class TlsStartTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Certificates _good = Certificates.For("127.0.0.1");

    private string Data => _folder["data"];

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Halves => new()
    {
        // what is wrong, what the line must say
        { "certificate alone", "tls:keyFile is missing" },
        { "key alone", "tls:certificateFile is missing" },
        { "neither", "mfa-server init --tls" },
        { "no https", "no address uses TLS" },
        { "clients without https", "tls:clientCaFile" },
        { "certificate missing", "tls:certificateFile" },
        { "certificate empty", "tls:certificateFile" },
        { "certificate no PEM", "tls:certificateFile" },
        { "certificate cut", "tls:certificateFile" },
        { "key missing", "tls:keyFile" },
        { "key empty", "tls:keyFile" },
        { "key of another", "tls:keyFile" },
        { "key no PEM", "tls:keyFile" },
        { "key readable by others", "chmod 600" },
        { "files swapped", "tls:" },
        { "expired", "expired on" },
        { "not yet valid", "not valid before" },
        { "for clients", "serverAuth" },
        { "client CA missing", "tls:clientCaFile" },
        { "client CA empty", "tls:clientCaFile" },
        { "client CA without authority", "tls:clientCaFile" },
        { "client CA with another's certificate", "not the certificate of an authority" },
        { "client CA expired", "tls:clientCaFile" },
        { "client CA of the system", "the system's authorities" },
    };

    [Theory, MemberData(nameof(Halves))]
    public async Task A_half_configuration_is_refused(string what, string says)
    {
        string[] arguments = ["serve", "--data", Data, "--listen", Https(what) ? "https://127.0.0.1:0" : "http://127.0.0.1:0", "--web", "http://127.0.0.1:0"];
        var settings = SettingsFor(what).SelectMany(setting => new[] { "--set", setting });

        Start.RefusedWith(await OutsideProgram.RunAsync(ServerProgram.Command([.. arguments, .. settings]), []), [says], never: "PRIVATE KEY");

        Assert.False(Directory.Exists(Data)); // what cannot be served leaves nothing behind
    }

    [Fact]
    public async Task A_web_address_in_TLS_needs_a_certificate_as_well()
    {
        var start = ServerProgram.Command("serve", "--data", Data, "--listen", "http://127.0.0.1:0", "--web", "https://127.0.0.1:0");
        Start.RefusedWith(await OutsideProgram.RunAsync(start, []), ["--web", "mfa-server init --tls"]);
    }

    [Theory]
    [InlineData("https://mfa.example.org:1")]
    [InlineData("https://127.0.0.1:1/path")]
    [InlineData("https://127.0.0.1:99999")]
    [InlineData("https://unix:/tmp/socket")]
    [InlineData("ftp://127.0.0.1:1")]
    [InlineData("127.0.0.1:1")]
    [InlineData("")]
    public async Task An_address_that_is_none_is_refused(string address)
    {
        var start = ServerProgram.Command("serve", "--data", Data, "--listen", address);
        Start.RefusedWith(await OutsideProgram.RunAsync(start, []), ["--listen", "https://0.0.0.0:7443"]);
    }

    [Theory]
    [InlineData("http://0.0.0.0:1")]
    [InlineData("http://[::]:1")]
    [InlineData("http://*:1")]
    public async Task Plain_text_is_not_served_beyond_loopback_though_there_is_a_certificate(string address) // CF4
    {
        var settings = Write(_good).SelectMany(setting => new[] { "--set", setting }).ToArray();
        foreach (var (option, other) in new[] { ("--listen", "--web"), ("--web", "--listen") })
        {
            var start = ServerProgram.Command(["serve", "--data", Data, option, address, other, "https://127.0.0.1:0", .. settings]);
            Start.RefusedWith(await OutsideProgram.RunAsync(start, []), [option, "loopback", "https://"]);
        }
    }

    [Fact]
    public async Task Init_makes_a_certificate_for_the_names_given_and_never_overwrites_one()
    {
        var init = await ServerProgram.RunAsync("init", "--tls", "--data", Data, "--host", "mfa.example.org", "192.0.2.7");
        Assert.True(init.ExitCode == 0, init.Errors);
        var (certificate, key) = (Path.Combine(Data, "tls", "server.crt"), Path.Combine(Data, "tls", "server.key"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        Assert.Contains($"mfa-server serve --data {Data} --listen ", init.Output, StringComparison.Ordinal);
        Assert.Contains($"mfa --endpoint https://mfa.example.org:7443 --cacert {certificate}", init.Output, StringComparison.Ordinal);
        foreach (var name in new[] { "localhost", "mfa.example.org" }) await AssertForAsync("-verify_hostname", name, certificate);
        foreach (var address in new[] { "127.0.0.1", "::1", "192.0.2.7" }) await AssertForAsync("-verify_ip", address, certificate);
        var before = await File.ReadAllTextAsync(key, TestContext.Current.CancellationToken);

        Start.RefusedWith(await ServerProgram.RunAsync("init", "--tls", "--data", Data), [certificate]);
        File.Delete(certificate);
        Start.RefusedWith(await ServerProgram.RunAsync("init", "--tls", "--data", Data), [certificate]);

        Assert.Equal(before, await File.ReadAllTextAsync(key, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_certificate_that_init_made_is_served_without_a_setting()
    {
        await using var server = await ServerProcess.StartAfterInitAsync("https://*:0", "mfa.example.org");
        await Owner.AssertServedAsync(server.Dev);

        await using var other = await ServerProcess.StartAfterInitAsync("https://localhost:0", "mfa.example.org");
        await Owner.AssertServedAsync(other.Dev);
    }

    [Fact]
    public async Task Init_without_TLS_makes_a_folder_that_serves()
    {
        var init = await ServerProgram.RunAsync("init", "--data", Data);

        Assert.True(init.ExitCode == 0, init.Errors);
        Assert.Equal($"mfa-server serve --data {Data}\n", init.Output);
        Assert.True(File.Exists(Path.Combine(Data, "keys.json")));
        Assert.False(Directory.Exists(Path.Combine(Data, "tls")));
        Start.RefusedWith(await ServerProgram.RunAsync("init", "--data", Data, "--host", "a.example.org"), ["--host", "--tls"]);
    }

    private static async Task AssertForAsync(string option, string name, string certificate) =>
        Assert.Equal(0, (await OutsideProgram.OpenSslAsync("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", certificate, option, name, certificate)).ExitCode);

    private static bool Https(string what) => what is not ("no https" or "clients without https");

    private string[] SettingsFor(string what)
    {
        using var root = Authority.New("root");
        using var old = Authority.New("root", daysLeft: -1);
        var good = Write(_good, root.Pem);
        string certificate = good[0], key = good[1], clients = good[2];
        string Replaced(string setting, string content, UnixFileMode others = UnixFileMode.None)
        {
            var path = setting.Split('=')[1];
            File.WriteAllText(path, content);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | others);
            return setting;
        }

        return what switch
        {
            "certificate alone" => [certificate],
            "key alone" => [key],
            "neither" => [],
            "no https" => [certificate, key],
            "clients without https" => [clients],
            "certificate missing" => [$"tls:certificateFile={_folder["nowhere"]}", key],
            "certificate empty" => [Replaced(certificate, ""), key],
            "certificate no PEM" => [Replaced(certificate, "certificate"), key],
            "certificate cut" => [Replaced(certificate, _good.Chain[..200]), key],
            "key missing" => [certificate, $"tls:keyFile={_folder["nowhere"]}"],
            "key empty" => [certificate, Replaced(key, "")],
            "key of another" => [certificate, Replaced(key, Certificates.For("127.0.0.1").Key)],
            "key no PEM" => [certificate, Replaced(key, "key")],
            "key readable by others" => [certificate, Replaced(key, _good.Key, UnixFileMode.OtherRead)],
            "files swapped" => [Replaced(certificate, _good.Key), Replaced(key, _good.Chain)],
            "expired" => Write(Certificates.Expired("127.0.0.1")),
            "not yet valid" => Write(root.Issue("127.0.0.1", daysPast: -1)),
            "for clients" => Write(Certificates.ForOtherUse("127.0.0.1")),
            "client CA missing" => [certificate, key, $"tls:clientCaFile={_folder["nowhere"]}"],
            "client CA empty" => [certificate, key, Replaced(clients, "")],
            "client CA without authority" => [certificate, key, Replaced(clients, _good.Chain)],
            "client CA with another's certificate" => [certificate, key, Replaced(clients, root.Pem + "\n" + _good.Chain)],
            "client CA expired" => [certificate, key, Replaced(clients, old.Pem)],
            "client CA of the system" => [certificate, key, Replaced(clients, File.ReadAllText("/etc/ssl/certs/ca-certificates.crt"))],
            _ => throw new ArgumentOutOfRangeException(nameof(what)),
        };
    }

    private string[] Write(Certificates certificates, string? clientCa = null)
    {
        var tls = new TlsFolder(_folder["tls"]);
        tls.Write(certificates, clientCa);
        return tls.Settings;
    }
}
