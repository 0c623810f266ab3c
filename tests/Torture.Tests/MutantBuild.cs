using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Mfa.Torture.Tests;

/// <summary>One build of a copy of the server with the mutants of tests/Torture/mutants in it.</summary>
public sealed class MutantBuild : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mfa-mutants-");

    internal string Server => Path.Combine(_folder.FullName, "src/Server/bin/Release/net10.0/mfa-server");

    public async ValueTask InitializeAsync()
    {
        var repository = Repository();
        foreach (var part in new[] { "src/Server", "protos" }) Copy(Path.Combine(repository, part), Path.Combine(_folder.FullName, part));
        foreach (var file in Directory.GetFiles(repository, "Directory.*").Append(Path.Combine(repository, "global.json")).Append(Path.Combine(repository, "BannedSymbols.txt")))
            File.Copy(file, Path.Combine(_folder.FullName, Path.GetFileName(file)));
        var mutants = Path.Combine(repository, "tests/Torture/mutants");
        File.Copy(Path.Combine(mutants, "Mutant.cs"), Path.Combine(_folder.FullName, "src/Server/Mutant.cs"));
        foreach (var edit in File.ReadAllLines(Path.Combine(mutants, "edits.txt")).Where(line => !line.StartsWith('#')).Chunk(3))
            Apply(edit[0], edit[1][2..], edit[2][2..]);

        await RunAsync("restore", "--locked-mode");
        // The house's rules of style are for sources that people read.
        await RunAsync("build", "--configuration", "Release", "--no-restore", "-p:RunAnalyzers=false", "-p:EnforceCodeStyleInBuild=false", "-p:TreatWarningsAsErrors=false", "-nodeReuse:false");
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private void Apply(string file, string find, string replace)
    {
        var path = Path.Combine(_folder.FullName, file);
        var lines = File.ReadAllLines(path);
        var found = Enumerable.Range(0, lines.Length).Where(i => lines[i] == find).ToArray();
        Assert.True(found.Length == 1, $"{file} holds {found.Length} times: {find.Trim()} - mend tests/Torture/mutants/edits.txt.");
        lines[found[0]] = replace;
        File.WriteAllLines(path, lines);
    }

    private async Task RunAsync(string verb, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [verb, Path.Combine(_folder.FullName, "src/Server"), .. arguments])
        {
            RedirectStandardOutput = true, UseShellExecute = false, WorkingDirectory = _folder.FullName,
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, output);
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(from, file);
            if (name.Split('/')[0] is "bin" or "obj") continue;
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(to, name))!);
            File.Copy(file, Path.Combine(to, name));
        }
    }

    private static string Repository([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../.."));
}
