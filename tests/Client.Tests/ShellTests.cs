using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Mfa.Client.Tests;

/// <summary>Completions and the manual page tell all that the command line knows, in a form that shells and man take.</summary>
public sealed partial class ShellTests : IDisposable
{
    private static readonly string[] Verbs = ["mk", "verify", "get-token", "rm", "status", "recovery-codes", "completion", "man"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("completion bash")]
    [InlineData("completion zsh")]
    [InlineData("completion fish")]
    [InlineData("man")]
    public async Task Every_verb_and_every_option_is_named(string verb)
    {
        var text = (await MfaProgram.RunAsync(null, verb)).Output.Replace("\\-", "-", StringComparison.Ordinal);

        var named = verb == "completion fish" ? LongFish().Replace(text, "--$1") : text;
        foreach (var command in Verbs.Prepend(""))
        {
            var help = (await MfaProgram.RunAsync(null, $"{command} --help")).Output;
            var options = Option().Matches(help[help.IndexOf("Options:", StringComparison.Ordinal)..]).Select(match => match.Value);
            Assert.NotEmpty(options);
            Assert.All(options.Append(command), word => Assert.Contains(word, named, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task The_shell_can_read_its_completion(string shell)
    {
        var script = Path.Combine(_folder.Path, "completion");
        await File.WriteAllTextAsync(script, (await MfaProgram.RunAsync(null, $"completion {shell}")).Output, TestContext.Current.CancellationToken);

        Assert.Equal("", await ToldAsync(shell, "-n", script));
    }

    [Theory]
    [InlineData("mfa m", "mk man")]
    [InlineData("mfa mk A", "AUTHENTICATOR")]
    [InlineData("mfa --account alice verify --enr", "--enrollment-id")]
    [InlineData("mfa status --output ", "table json")]
    [InlineData("mfa get-token --ph", "")]
    [InlineData("mfa --account ", "")]
    public async Task A_shell_completes(string typed, string offered)
    {
        var script = (await MfaProgram.RunAsync(null, "completion bash")).Output;
        var words = typed.Split(' ');

        var told = await ToldAsync("bash", "-c", $"{script}\nCOMP_WORDS=({string.Join(' ', words.Select(word => $"'{word}'"))}); COMP_CWORD={words.Length - 1}; _mfa; echo \"${{COMPREPLY[*]}}\"");

        Assert.Equal(offered, told.Trim());
    }

    [Fact]
    public async Task The_manual_page_is_set_without_a_complaint()
    {
        var page = Path.Combine(_folder.Path, "mfa.1");
        await File.WriteAllTextAsync(page, (await MfaProgram.RunAsync(null, "man")).Output, TestContext.Current.CancellationToken);

        var set = await ToldAsync("groff", "-man", "-Tascii", "-ww", "-P-cbou", page);

        Assert.Contains("recovery-codes", set, StringComparison.Ordinal);
        Assert.Contains("--insecure-skip-verify", set, StringComparison.Ordinal);
    }

    /// <summary>Both streams: what is complained of must not be overlooked.</summary>
    private static async Task<string> ToldAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", await errors);
        Assert.Equal(0, process.ExitCode);
        return await output;
    }

    [GeneratedRegex("(?<=[ ,])--[a-z][a-z-]+", RegexOptions.None, 1000)]
    private static partial Regex Option();

    [GeneratedRegex("(?<= )-l ([a-z-]+)", RegexOptions.None, 1000)]
    private static partial Regex LongFish();
}
