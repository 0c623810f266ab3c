using System.Collections.Concurrent;
using Mfa.EndToEnd.Calls;
using Mfa.V1;

namespace Mfa.EndToEnd.Keys;

/// <summary>Callers who go on until told to stop, each of whose calls must succeed: one that fails or is wrongly refused is kept.</summary>
internal sealed class MixedLoad : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _failed = [];
    private readonly List<Task> _callers = [];
    private int _rounds;

    /// <summary>What went wrong, in words.</summary>
    public IReadOnlyCollection<string> Failed => _failed;

    public int Rounds => _rounds;

    /// <param name="act">One round of calls, over and over again.</param>
    public void Add(string name, Func<Task> act) => _callers.Add(Task.Run(async () =>
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await act();
                Interlocked.Increment(ref _rounds);
            }
            catch (Exception why)
            {
                _failed.Enqueue($"{name}: {why.Message}");
            }
        }
    }));

    /// <summary>The life of an account: enabled, proven, used with codes of every kind.</summary>
    public static async Task LiveAsync(Caller caller)
    {
        var owner = await Owner.EnrolAsync(caller);
        await AcceptedAsync(caller, owner.Account, owner.NextCode);
        await AcceptedAsync(caller, owner.Account, owner.RecoveryCodes[0]);
        Assert.Equal(Verdict.Rejected, (await caller.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);
        var fresh = await caller.RegenerateRecoveryCodesAsync(owner.Account, owner.RecoveryCodes[1]);
        await AcceptedAsync(caller, owner.Account, fresh[7]);
        Assert.Equal(State.Enabled, (await caller.GetStatusAsync(owner.Account)).State);
    }

    public static async Task AcceptedAsync(Caller caller, string account, string code) =>
        Assert.Equal(Verdict.Accepted, (await caller.VerifyAsync(account, code)).Verdict);

    /// <summary>Waits until every caller has finished the round it is in.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_callers);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }
}
