using System.Collections;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Mfa.Server;

/// <summary>
/// Keeps the server's memory, which holds opened secrets for moments and keys all the time, from those who run as the same user:
/// no core dump, no debugger, no diagnostics port. Root still sees everything.
/// </summary>
internal static partial class Hardening
{
    private const string Diagnostics = "DOTNET_EnableDiagnostics";

    private const int SetDumpable = 4; // PR_SET_DUMPABLE
    private const int CoreSize = 4; // RLIMIT_CORE, alike on Linux and macOS

    /// <summary>Before any secret is read.</summary>
    public static void ForbidDumps()
    {
        var none = default(Limit);
        _ = SetLimit(CoreSize, in none);
        if (OperatingSystem.IsLinux()) _ = ProcessControl(SetDumpable, 0, 0, 0, 0); // also closes /proc/PID/mem and ptrace
    }

    /// <summary>
    /// The runtime opens its diagnostics port, through which a profiler can be loaded, before it runs any of our code, and asks
    /// only its environment whether it may. So this program starts itself once more in its own place, with the same process id.
    /// Whoever sets the variable decides: 1 keeps the port.
    /// </summary>
    public static void CloseDiagnosticsPort()
    {
        // A native build has no such port.
        if (!RuntimeFeature.IsDynamicCodeSupported || !OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable(Diagnostics) is not null) return;
        string?[] command = [.. File.ReadAllText("/proc/self/cmdline").Split('\0')[..^1], null];
        var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => $"{entry.Key}={entry.Value}");
        RemovePort();
        _ = Execute(Environment.ProcessPath!, command, [.. variables, $"{Diagnostics}=0", null]);
        // Still here: it could not be started. It serves all the same, and nobody can dump it.
    }

    /// <summary>The port's files have no other owner once this program is replaced.</summary>
    private static void RemovePort()
    {
        try
        {
            foreach (var kind in new[] { "dotnet-diagnostic", "clr-debug-pipe" })
            {
                foreach (var file in Directory.GetFiles(Path.GetTempPath(), $"{kind}-{Environment.ProcessId}-*")) File.Delete(file);
            }
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            // Another user's, left from a time when a process of theirs had this number, or a folder that is closed to us: without
            // the program behind them the files are of no use to anybody.
        }
    }

    [LibraryImport("libc", EntryPoint = "execve", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] arguments, string?[] environment);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint a, nuint b, nuint c, nuint d);

    private readonly struct Limit
    {
        private readonly nuint _now;
        private readonly nuint _most;
    }
}
