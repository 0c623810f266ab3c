using System.Text.Json;
using Mfa.Server.Observability;
using Mfa.Server.Store;

namespace Mfa.Server.Callers.Quotas;

/// <summary>
/// Makes the quotas of all servers on one database one: each tells the others about once a second what it has let through, and
/// charges what it hears of them to its own. A call asks nobody but the server it came to; what servers let through too much before
/// they heard of each other, callers owe. News of the last minutes are heard again after a start.
/// </summary>
internal sealed class SharedQuotas : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    /// <summary>Twice the usual window of a spray, and far longer than a quota of the usual settings takes to fill up again.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    /// <summary>How long news can take from the time they carry until others see them: a commit.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(15);

    private readonly IStore _store;
    private readonly CallerQuotas _quotas;
    private readonly FailedCallers _failures;
    private readonly SprayGuard _spray;
    private readonly TimeProvider _clock;
    private readonly ILogger<SharedQuotas> _log;
    private readonly RefusalTally _silences;
    private readonly string _server = Guid.NewGuid().ToString("N");
    private readonly Dictionary<string, long> _heard = [];
    private readonly Lock _lock = new();
    private Dictionary<SpraySource, (int Count, HashSet<long> Accounts)> _wrong = [];
    private string? _untold;
    private long _number;
    private long? _lastLook;
    private long _lastRemoval;

    public SharedQuotas(IStore store, CallerQuotas quotas, FailedCallers failures, SprayGuard spray, TimeProvider clock, ILogger<SharedQuotas> log)
    {
        (_store, _quotas, _failures, _spray, _clock, _log) = (store, quotas, failures, spray, clock, log);
        _silences = new RefusalTally(clock);
        _lastRemoval = clock.GetTimestamp();
        spray.Counted = Note;
    }

    /// <summary>Before the first call is let in, what is still known of the time before.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ExchangeAsync();
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await ExchangeAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Beat, _clock);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await ExchangeAsync();
    }

    public async Task ExchangeAsync()
    {
        try
        {
            await TellAsync();
            Listen();
        }
        catch (StoreUnavailableException why)
        {
            if (_silences.Report() is { } times) _log.QuotasNotShared(why, times);
        }
    }

    private async Task TellAsync()
    {
        _untold ??= Collect();
        var removes = _clock.GetElapsedTime(_lastRemoval) > Kept / 10;
        if (_untold is null && !removes) return;
        await _store.WriteAsync(session =>
        {
            if (_untold is not null) CallerNewsRows.Add(session, _server, _number, _untold);
            if (removes) CallerNewsRows.RemoveOld(session, Kept);
            return true;
        });
        if (removes) _lastRemoval = _clock.GetTimestamp();
        if (_untold is null) return;
        _untold = null;
        _number++;
    }

    /// <summary>Rows are known by their numbers, so that looking back further than needed counts nothing twice.</summary>
    private void Listen()
    {
        var now = _clock.GetTimestamp();
        var within = _lastLook is { } last && _clock.GetElapsedTime(last) + Overlap is var back && back < Kept ? back : Kept;
        foreach (var told in _store.Read(session => CallerNewsRows.Recent(session, _server, within)))
        {
            if (_heard.TryGetValue(told.Server, out var number) && told.Number <= number) continue;
            _heard[told.Server] = told.Number;
            Hear(told);
        }

        _lastLook = now;
    }

    private void Hear(ToldNews told)
    {
        try
        {
            if (JsonSerializer.Deserialize(told.News, CallerNewsJson.Default.CallerNews) is not { } news) return;
            foreach (var taken in news.Taken) _quotas.Hear(taken, told.Age);
            foreach (var failed in news.Failed) _failures.Hear(failed, told.Age);
            foreach (var wrong in news.Wrong) _spray.Hear(wrong, told.Age);
        }
        catch (JsonException why)
        {
            _log.NewsNotRead(why, told.Server);
        }
    }

    /// <returns>Null when there is nothing to tell.</returns>
    private string? Collect()
    {
        Dictionary<SpraySource, (int Count, HashSet<long> Accounts)> wrong;
        lock (_lock) (wrong, _wrong) = (_wrong, []);
        var news = new CallerNews
        {
            Taken = [.. _quotas.Untold()],
            Failed = [.. _failures.Untold()],
            Wrong = [.. wrong.Select(source => new WrongGuesses(source.Key, source.Value.Count, [.. source.Value.Accounts]))],
        };
        return news.IsEmpty ? null : JsonSerializer.Serialize(news, CallerNewsJson.Default.CallerNews);
    }

    private void Note(SpraySource source, long account)
    {
        lock (_lock)
        {
            var (count, accounts) = _wrong.TryGetValue(source, out var before) ? before : (0, []);
            if (accounts.Count < WrongCodes.MaxAccounts) accounts.Add(account);
            _wrong[source] = (count + 1, accounts);
        }
    }
}
