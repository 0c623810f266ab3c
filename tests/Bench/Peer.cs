using System.Diagnostics;
using System.Globalization;

namespace Mfa.Bench;

/// <summary>A server as a child process, ended by its process id.</summary>
internal sealed class Peer : IDisposable
{
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

        throw new InvalidOperationException($"{program} ended before it was ready.");
    }

    /// <summary>Processor time used so far, user and system, as the operating system counts it.</summary>
    public TimeSpan Cpu()
    {
        _process.Refresh();
        return _process.TotalProcessorTime;
    }

    public long PeakMemoryMiB() => long.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmHWM", StringComparison.Ordinal)).Split(':')[1].Replace("kB", "").Trim(),
        CultureInfo.InvariantCulture) / 1024;

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}

internal sealed class BenchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("mfa-bench-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
