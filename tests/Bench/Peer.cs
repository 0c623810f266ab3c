using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Mfa.Bench;

/// <summary>A server as a child process, ended by its process id.</summary>
internal sealed partial class Peer : IDisposable
{
    private const int Terminate = 15;

    private readonly Process _process;

    private Peer(Process process, string address) => (_process, Address) = (process, address);

    public string Address { get; }

    public static Peer Start(string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (!line.StartsWith("ready grpc=", StringComparison.Ordinal)) continue;
            return new Peer(process, line.Split(' ')[1]["grpc=".Length..]);
        }

        throw new RefusedToReportException($"{program} ended before it was ready");
    }

    /// <summary>A server with everything on but the limits on one caller: one key does all the work here, and many of its codes are wrong.</summary>
    public static Peer StartServer(string program, string folder, params string[] more) => Start(
        program, ["serve", "--dev", "--data", folder, "--listen", "http://127.0.0.1:0", "--web", "http://127.0.0.1:0", "--set", "log:level=Warning",
        "--set", "quota:callsPerSecond=0", "--set", "quota:guessesPerSecond=0", "--set", "spray:wrong=10000000", "--set", "spray:total=100000000", .. more]);

    /// <summary>Processor time used so far, user and system, as the operating system counts it.</summary>
    public TimeSpan Cpu()
    {
        _process.Refresh();
        return _process.TotalProcessorTime;
    }

    public long PeakMemoryMiB() => long.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmHWM", StringComparison.Ordinal)).Split(':')[1].Replace("kB", "").Trim(),
        CultureInfo.InvariantCulture) / 1024;

    public void Stop()
    {
        Expect.That(Signal(_process.Id, Terminate) == 0, "the server cannot be stopped");
        _process.WaitForExit();
        Expect.That(_process.ExitCode == 0, $"the server ended with {_process.ExitCode}");
    }

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) Kill();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}

internal sealed class BenchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("mfa-bench-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
