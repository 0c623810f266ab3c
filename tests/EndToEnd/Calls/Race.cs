using Grpc.Core;
using Mfa.V1;

namespace Mfa.EndToEnd.Calls;

/// <summary>Callers that act at the same moment.</summary>
internal static class Race
{
    /// <summary>Every caller gets ready, and goes when the last one is.</summary>
    public static async Task<T[]> RunAsync<T>(IReadOnlyList<Caller> callers, Func<Caller, int, Task<T>> act)
    {
        var waiting = callers.Count;
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return await Task.WhenAll(callers.Select((caller, i) => Task.Run(async () =>
        {
            if (Interlocked.Decrement(ref waiting) == 0) go.SetResult();
            await go.Task;
            return await act(caller, i);
        })));
    }

    public static Task<T[]> RunAsync<T>(IReadOnlyList<Caller> callers, Func<Caller, Task<T>> act) =>
        RunAsync(callers, (caller, _) => act(caller));

    /// <summary>The name of each caller's verdict, or of the status when there was none.</summary>
    public static Task<string[]> OutcomesAsync(IReadOnlyList<Caller> callers, Func<Caller, int, Task<VerifyResponse>> verify) =>
        RunAsync(callers, async (caller, i) =>
        {
            try
            {
                return (await verify(caller, i)).Verdict.ToString();
            }
            catch (RpcException error)
            {
                return error.StatusCode.ToString();
            }
        });

    public static Task<string[]> OutcomesAsync(IReadOnlyList<Caller> callers, Func<Caller, Task<VerifyResponse>> verify) =>
        OutcomesAsync(callers, (caller, _) => verify(caller));

    /// <summary>Opens all connections now: a race between handshakes would be none between calls.</summary>
    public static async Task<Caller[]> CallersAsync(Processes.ServerProcess server, int count)
    {
        var callers = Enumerable.Range(0, count).Select(_ => server.NewCaller(server.DevKey)).ToArray();
        await Task.WhenAll(callers.Select(caller => caller.GetStatusAsync("nobody")));
        return callers;
    }
}
