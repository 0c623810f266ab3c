namespace Mfa.Server.Store.Postgres;

/// <summary>
/// Notes beside the saves that something is saved now, at most twice a second: one row that all servers share has no place
/// in a group.
/// </summary>
internal sealed class TimeNotes(PostgresDatabase database, SteadyClock clock)
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private DateTimeOffset _last;

    public void Note()
    {
        var now = clock.GetUtcNow();
        lock (_lock)
        {
            if (now - _last < Every) return;
            _last = now;
        }

        var system = clock.SystemTimeAt(now);
        _ = Task.Run(() => SaveAsync(now, system));
    }

    private async Task SaveAsync(DateTimeOffset now, DateTimeOffset system)
    {
        try
        {
            await using var connection = await database.OpenAsync();
            using var session = new PostgresSession(connection);
            Transactions.Run(session, _ =>
            {
                ClockRows.Note(session, now, system);
                return true;
            });
        }
        catch (Exception later) when (later is StoreUnavailableException || PostgresErrors.IsOfStore(later))
        {
            // The next save notes it; whoever waits for this one is told the same by its own.
        }
    }
}
