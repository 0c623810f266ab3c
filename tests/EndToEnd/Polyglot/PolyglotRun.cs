using System.Diagnostics;
using System.Text.RegularExpressions;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Polyglot;

/// <summary>One run of tests/Polyglot/run: every language, one after the other, against one server.</summary>
public sealed partial class PolyglotRun : IAsyncLifetime
{
    public static readonly string[] Languages = ["csharp", "python", "node", "go", "ruby", "cpp"];

    private readonly TempFolder _folder = new();

    /// <summary>The closing line of each language.</summary>
    internal Dictionary<string, string> Closing { get; private set; } = [];

    /// <summary>All that the run said: what failed, and how.</summary>
    internal string Said { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var start = new ProcessStartInfo(Path.Combine(ServerProgram.Repository, "tests/Polyglot/run"), Languages) { UseShellExecute = false };
        start.Environment["MFA_SERVER"] = ServerProgram.Path;
        start.Environment["CONFIGURATION"] = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/')));
        start.Environment["POLYGLOT_OUT"] = _folder.Path;
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var run = Process.Start(start)!;
        var (output, errors) = (run.StandardOutput.ReadToEndAsync(), run.StandardError.ReadToEndAsync());
        await run.WaitForExitAsync();
        Said = await output + await errors;
        Closing = ClosingLine().Matches(await output).ToDictionary(line => line.Groups[1].Value, line => line.Value, StringComparer.Ordinal);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Each call of each story, with its status and its reason, verdict or state.</summary>
    internal string[] Transcript(string language) => File.ReadAllLines(Path.Combine(_folder.Path, $"{language}.txt"));

    [GeneratedRegex("^([a-z]+): ([0-9]+) passed, ([0-9]+) failed$", RegexOptions.Multiline, 1000)]
    private static partial Regex ClosingLine();
}
