using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd;

/// <summary>Settings and command lines that are not understood: refused by name and source, never guessed at.</summary>
public sealed class RefusedSettingTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("http://0.0.0.0:1")] // CF4
    [InlineData("http://[::]:1")]
    [InlineData("http://192.0.2.1:1")]
    [InlineData("http://example.org:1")]
    [InlineData("http://127.0.0.1.example.org:1")]
    public async Task Plain_text_beyond_loopback(string address)
    {
        foreach (var option in new[] { "--listen", "--web" })
        {
            var start = ServerProgram.Command("serve", "--data", _folder["data"], option, address);
            Start.RefusedWith(await OutsideProgram.RunAsync(start, []), [option, address, "loopback"]);
        }
    }

    [Theory]
    [InlineData("--listen", "https://0.0.0.0:1")] // CF5
    [InlineData("--web", "https://0.0.0.0:1")]
    [InlineData("--listen", "https://192.0.2.1:1")]
    [InlineData("--set", "smtp:host=mail.example.org")]
    [InlineData("--set", "smtp2:host=mail.example.org")]
    [InlineData("--set", "kannel:url=https://sms.example.org/")]
    [InlineData("--set", "twilio:url=https://sms.example.org/")]
    public async Task A_development_server_in_the_place_of_one_in_earnest(string option, string value)
    {
        Assert.Equal(0, (await ServerProgram.RunAsync("init", "--tls", "--data", _folder["data"])).ExitCode);

        Start.RefusedWith(await ServerProgram.RunAsync("serve", "--dev", "--data", _folder["data"], option, value), ["--dev"]);

        Assert.False(Directory.Exists(_folder["data/outbox"]));
    }

    public static TheoryData<string, string, string> Bad => new()
    {
        // name, value, what the line must say besides the source
        { "guesses:run", "2", "3 to 10" },
        { "guesses:run", "11", "3 to 10" },
        { "guesses:run", "5.0", "3 to 10" },
        { "guesses:run", "-5", "3 to 10" },
        { "guesses:run", "", "3 to 10" },
        { "guesses:cap", "101", "10 to 100" },
        { "enrollment:digits", "5", "6 to 8" },
        { "enrollment:algorithm", "MD5", "SHA1, SHA256 or SHA512" },
        { "enrollment:toleranceSteps", "3", "0 to 2" },
        { "enrollment:issuer", "a:b", "without a colon" },
        { "passwords:rounds", "1", "210000" },
        { "server:reflection", "maybe", "true or false" },
        { "log:level", "Verbose", "Trace, Debug" },
        { "guesses:rum", "5", "Unknown setting guesses:rum" },
        { "guesses", "5", "Unknown setting guesses" },
    };

    [Theory, MemberData(nameof(Bad))]
    public async Task A_bad_value_or_name_from_the_command_line(string name, string value, string says)
    {
        var start = Start.Serve(_folder["data"], "--set", $"{name}={value}");
        Start.RefusedWith(await OutsideProgram.RunAsync(start, []), [name, says, "--set"]);
    }

    [Fact]
    public async Task A_bad_value_or_name_from_the_environment()
    {
        foreach (var (name, value, says) in new[] { ("MFA__guesses__run", "2", "3 to 10"), ("MFA__guesses__rum", "5", "Unknown setting") })
        {
            var start = Start.Serve(_folder["data"]);
            start.Environment[name] = value;
            Start.RefusedWith(await OutsideProgram.RunAsync(start, []), [says, $"environment variable {name}"]);
        }
    }

    [Theory]
    [InlineData("""{ "Mfa": { "guesses": { "run": 2 } } }""", "3 to 10")]
    [InlineData("""{ "Mfa": { "guesses": { "rum": 5 } } }""", "Unknown setting guesses:rum")]
    [InlineData("""{ "Mfa": { "guesses": """, "cannot be read as JSON")]
    public async Task A_bad_value_or_name_from_the_file(string json, string says)
    {
        var path = _folder["appsettings.json"];
        await File.WriteAllTextAsync(path, json, TestContext.Current.CancellationToken);
        var start = Start.Serve(_folder["data"]);
        start.WorkingDirectory = _folder.Path;

        Start.RefusedWith(await OutsideProgram.RunAsync(start, []), [says, path]);
    }

    [Fact]
    public async Task A_first_lock_longer_than_the_longest()
    {
        var start = Start.Serve(_folder["data"], "--set", "guesses:firstLockSeconds=120", "--set", "guesses:longestLockSeconds=60");
        Start.RefusedWith(await OutsideProgram.RunAsync(start, []), ["guesses:firstLockSeconds", "guesses:longestLockSeconds"]);
    }

    [Fact]
    public async Task A_refused_setting_leaves_no_folder_behind()
    {
        Assert.Equal(Start.Failed, (await OutsideProgram.RunAsync(Start.Serve(_folder["data"], "--set", "guesses:run=2"), [])).ExitCode);

        Assert.False(Directory.Exists(_folder["data"]));
    }

    [Theory]
    [InlineData("--no-such-option")]
    [InlineData("no-such-verb")]
    [InlineData("serve", "--data")]
    [InlineData("serve", "--data", "")]
    [InlineData("keys")]
    [InlineData("keys", "create")]
    [InlineData("keys", "create", "name")]
    [InlineData("keys", "create", "name", "--scopes", "everything")]
    [InlineData("keys", "create", "name", "--scopes", "")]
    [InlineData("keys", "create", "a b", "--scopes", "verify")]
    [InlineData("keys", "create", "name", "--scopes", "verify", "--tenant", "a b")]
    [InlineData("keys", "list", "--output", "xml")]
    [InlineData("users", "add", "name")]
    [InlineData("users", "add", "name", "--email", "nobody")]
    [InlineData("users", "add", "name", "--email", "a@example.org", "--phone", "12345")]
    [InlineData("users", "add", "name", "--email", "a@example.org", "--password", "a password on the command line")] // CL4
    public async Task A_command_line_that_is_not_understood_ends_with_2(params string[] arguments)
    {
        var start = ServerProgram.Command(arguments);
        start.WorkingDirectory = _folder.Path;

        var ended = await OutsideProgram.RunAsync(start, []);

        Assert.Equal(Start.Usage, ended.ExitCode);
        Assert.StartsWith("mfa-server: ", ended.Errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("seven77\n")]
    public async Task A_password_that_is_too_short(string input)
    {
        var start = ServerProgram.Command("users", "add", "name", "--email", "a@example.org", "--data", _folder["data"]);
        Start.RefusedWith(await OutsideProgram.RunAsync(start, System.Text.Encoding.ASCII.GetBytes(input)), ["8 to 256"]);
    }

    [Fact]
    public async Task A_name_that_is_taken_or_unknown()
    {
        string[] Create(string scopes) => ["keys", "create", "name", "--scopes", scopes, "--data", _folder["data"]];
        Assert.Equal(0, (await ServerProgram.RunAsync(Create("verify"))).ExitCode);

        Start.RefusedWith(await ServerProgram.RunAsync(Create("enroll")), ["name", "mfa-server keys revoke name"]);
        Start.RefusedWith(await ServerProgram.RunAsync("keys", "revoke", "other", "--data", _folder["data"]), ["other", "mfa-server keys list"]);
        Start.RefusedWith(await ServerProgram.RunAsync("users", "remove", "other", "--data", _folder["data"]), ["other", "mfa-server users list"]);
    }
}
