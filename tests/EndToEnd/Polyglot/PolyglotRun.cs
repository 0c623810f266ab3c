using System.Diagnostics;
using System.Text.RegularExpressions;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Polyglot;

/// <summary>One run of tests/Polyglot/run: every language, one after the other, against one server.</summary>
public sealed partial class PolyglotRun : IDisposable
{
    public static readonly string[] Languages = ["csharp", "python", "node", "go", "ruby", "cpp"];

    private readonly TempFolder _folder = new();

    private PolyglotRun()
    {
    }

    /// <summary>The closing line of each language.</summary>
    internal Dictionary<string, string> Closing { get; private set; } = [];

    /// <summary>All that the run said: what failed, and how.</summary>
    internal string Said { get; private set; } = "";

    public static async Task<PolyglotRun> OnAsync(string server, bool examples)
    {
        var made = new PolyglotRun();
        var start = new ProcessStartInfo(Path.Combine(ServerProgram.Repository, "tests/Polyglot/run"), Languages) { UseShellExecute = false };
        start.Environment["MFA_SERVER"] = server;
        start.Environment["EXAMPLES"] = examples ? "yes" : "no";
        start.Environment["CONFIGURATION"] = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/')));
        start.Environment["POLYGLOT_OUT"] = made._folder.Path;
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var run = Process.Start(start)!;
        var (output, errors) = (run.StandardOutput.ReadToEndAsync(), run.StandardError.ReadToEndAsync());
        await run.WaitForExitAsync();
        made.Said = await output + await errors;
        made.Closing = ClosingLine().Matches(await output).ToDictionary(line => line.Groups[1].Value, line => line.Value, StringComparer.Ordinal);
        return made;
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Each call of each story, with its status and its reason, verdict or state.</summary>
    internal string[] Transcript(string language) => File.ReadAllLines(Path.Combine(_folder.Path, $"{language}.txt"));

    [GeneratedRegex("^([a-z]+): ([0-9]+) passed, ([0-9]+) failed$", RegexOptions.Multiline, 1000)]
    private static partial Regex ClosingLine();
}
