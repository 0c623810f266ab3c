using System.Diagnostics;
using System.Globalization;

namespace Mfa.EndToEnd.Processes;

/// <summary>Ends programs between two of their system calls (Debian package strace).</summary>
internal static class Strace
{
    /// <summary>Runs the server's program under strace, which kills it where a thread makes this call for the so-manieth time.</summary>
    /// <returns>False when it ended well before.</returns>
    public static async Task<bool> KillAtAsync(string call, int count, string[] arguments)
    {
        const int Killed = 137;
        var program = ServerProgram.Command(arguments);
        var when = count.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo("strace",
            ["-f", "-qq", "-o", "/dev/null", "-e", $"trace={call}", "-e", $"inject={call}:signal=KILL:when={when}", program.FileName, .. program.ArgumentList]);
        start.Environment.Clear();
        foreach (var (name, value) in program.Environment) start.Environment[name] = value;
        var ended = await OutsideProgram.RunAsync(start, [], "strace");
        Assert.True(ended.ExitCode is 0 or Killed, ended.Errors);
        return ended.ExitCode == Killed;
    }
}
