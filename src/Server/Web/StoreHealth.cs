using Mfa.Server.Store;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mfa.Server.Web;

/// <summary>
/// Ready means that the store can be read and written: on a full or locked disk reads go on, and no code could be accepted. Whoever
/// asks may ask as often as they like, because it is looked at once a second at most. Used by gRPC health and by the web address.
/// </summary>
internal sealed class StoreHealth(IStore store, TimeProvider clock) : IHealthCheck
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    /// <summary>A disk that hangs throws nothing.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private Task<bool>? _answer;
    private long _since;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        await AnswersAsync() ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy();

    public Task<bool> AnswersAsync()
    {
        lock (_lock)
        {
            if (_answer is { } last && (!last.IsCompleted || clock.GetElapsedTime(_since) < Fresh)) return last;
            _since = clock.GetTimestamp();
            return _answer = LookAsync();
        }
    }

    private async Task<bool> LookAsync()
    {
        try
        {
            // The writer notes the time with a commit, every half second that there is one: this writes, and has it synced.
            return await Task.Run(() => store.Read(KnowsKeys)).WaitAsync(Patience) && await store.WriteAsync(KnowsKeys).WaitAsync(Patience);
        }
        catch (Exception gone) when (gone is StoreUnavailableException or TimeoutException)
        {
            return false;
        }
    }

    private static bool KnowsKeys(Session session) => session.Command("SELECT count(*) FROM ring_keys").ExecuteScalar() is long;
}
