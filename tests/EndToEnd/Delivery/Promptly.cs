using System.Diagnostics;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Delivery;

/// <summary>
/// Calls that are answered once their message is saved, whatever becomes of it: well before a send that hangs is given up,
/// and long enough for a machine at its limit.
/// </summary>
internal static class Promptly
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(12);

    public static Task<Recipient> EnableAsync(ServerProcess server) => RunAsync(() => Recipient.EnableByMailAsync(server));

    public static async Task<T> RunAsync<T>(Func<Task<T>> call)
    {
        var since = Stopwatch.StartNew();
        var result = await call();
        Assert.True(since.Elapsed < Limit, $"answered after {since.Elapsed}");
        return result;
    }
}
