using System.Globalization;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Transport;

internal static class Memory
{
    /// <summary>
    /// What a server may ever have held. Idle it holds some 80 MB; what each of these attacks asks it to keep would be several
    /// times as much as this.
    /// </summary>
    private const int MostMegabytes = 350;

    public static async Task AssertBoundedAsync(ServerProcess server)
    {
        var status = await File.ReadAllLinesAsync($"/proc/{server.ProcessId}/status", TestContext.Current.CancellationToken);
        var peak = status.Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2];
        Assert.InRange(int.Parse(peak, CultureInfo.InvariantCulture) / 1024, 1, MostMegabytes);
    }
}
