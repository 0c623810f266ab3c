using System.Diagnostics;
using System.Reflection;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd;

/// <summary>
/// The console client as a process of its own, run by a script: its three streams are pipes. The one that was built
/// with these tests, or the one that MFA_PROGRAM names.
/// </summary>
internal sealed class ClientProgram : IDisposable
{
    private const string Variable = "MFA_PROGRAM";

    /// <summary>Far more than any verb takes; only a hang gets there.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly string Path = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } chosen
        ? chosen
        : typeof(ClientProgram).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(metadata => metadata.Key == nameof(ClientProgram)).Value!;

    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly List<string> _output = [];

    private ClientProgram(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <param name="environment">The settings; those of the machine that the tests run on do not reach it.</param>
    /// <param name="arguments">Words that hold no blanks.</param>
    /// <param name="program">Another one than the one of these tests.</param>
    /// <param name="folder">Where it runs; empty for where we do.</param>
    public static ClientProgram Start(IReadOnlyDictionary<string, string> environment, string arguments, string? program = null, string folder = "")
    {
        string[] words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        program ??= Path;
        var start = program.EndsWith(".dll", StringComparison.Ordinal)
            ? new ProcessStartInfo("dotnet", [program, .. words])
            : new ProcessStartInfo(program, words);
        start.WorkingDirectory = folder;
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        var ambient = start.Environment.Keys.Where(name => name.StartsWith("MFA_", StringComparison.Ordinal)).ToArray();
        foreach (var name in ambient) start.Environment.Remove(name);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new ClientProgram(Process.Start(start)!);
    }

    /// <summary>Runs a verb that needs no more than this input.</summary>
    public static async Task<Ended> RunAsync(
        IReadOnlyDictionary<string, string> environment, string arguments, params string[] lines)
    {
        using var client = Start(environment, arguments);
        foreach (var line in lines) await client.AnswerAsync(line);
        return await client.EndAsync();
    }

    /// <summary>The next line of standard output.</summary>
    public async Task<string> ReadAsync()
    {
        var line = await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        if (line is null) Assert.Fail($"The client ended: {await _errors}");
        _output.Add(line);
        return line;
    }

    public async Task<string[]> ReadAsync(int lines)
    {
        var read = new string[lines];
        for (var i = 0; i < lines; i++) read[i] = await ReadAsync();
        return read;
    }

    /// <summary>One line of standard input.</summary>
    public async Task AnswerAsync(string line)
    {
        await _process.StandardInput.WriteAsync(line + "\n");
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits for its end, with nothing more to read for it.</summary>
    public async Task<Ended> EndAsync()
    {
        _process.StandardInput.Close();
        var rest = await _process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return new Ended(_process.ExitCode, string.Concat(_output.Select(line => line + "\n")) + rest, await _errors);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }
}
