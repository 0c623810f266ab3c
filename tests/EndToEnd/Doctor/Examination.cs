using System.Security.Cryptography;
using System.Text.Json;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Doctor;

internal sealed record Finding(string Name, string State, string Detail, string Remedy);

/// <summary>A run of `mfa-server doctor` and what it told as JSON.</summary>
internal sealed record Examination(int ExitCode, Finding[] Findings, string Output, string Errors)
{
    public Finding this[string name] => Assert.Single(Findings, finding => finding.Name == name);

    public IEnumerable<string> Failing => Findings.Where(finding => finding.State == "FAIL").Select(finding => finding.Name);

    /// <param name="folder">The working directory: nothing of the machine that the tests run on is read.</param>
    public static async Task<Examination> OfAsync(string folder, string[] options, params (string Name, string Value)[] environment)
    {
        var start = ServerProgram.Command(["doctor", "--output", "json", .. options]);
        start.WorkingDirectory = folder;
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var ended = await OutsideProgram.RunAsync(start, []);
        using var document = JsonDocument.Parse(ended.Output);
        Finding[] findings = [.. document.RootElement.EnumerateArray().Select(row => new Finding(
            row.GetProperty("name").GetString()!, row.GetProperty("state").GetString()!,
            row.GetProperty("detail").GetString()!, row.GetProperty("remedy").GetString()!))];
        var examination = new Examination(ended.ExitCode, findings, ended.Output, ended.Errors);

        Assert.All(findings, finding => Assert.Contains(finding.State, (string[])["OK", "WARN", "FAIL"]));
        Assert.Equal(examination.Failing.Any() ? 1 : 0, examination.ExitCode);
        return examination;
    }

    /// <summary>Every file of a folder: its name, mode, time and content.</summary>
    public static string[] Snapshot(string folder) =>
        [.. new DirectoryInfo(folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).OrderBy(f => f.FullName, StringComparer.Ordinal).Select(Describe)];

    private static string Describe(FileSystemInfo file)
    {
        // The index of the log holds no data: every reader marks there how far it has read.
        var content = file is FileInfo && !file.Name.EndsWith("-shm", StringComparison.Ordinal) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file.FullName))) : "";
        return $"{file.FullName} {file.UnixFileMode} {(content.Length > 0 ? file.LastWriteTimeUtc.Ticks : 0)} {content}";
    }
}
