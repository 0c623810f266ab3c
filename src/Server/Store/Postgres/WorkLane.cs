using Npgsql;

namespace Mfa.Server.Store.Postgres;

/// <summary>Runs work in transactions of its own, one after the other: what takes several statements, and can wait for them.</summary>
internal sealed class WorkLane(
    PostgresDatabase database, TrailChain chain, TrailSigning signing, RecentAccounts recent, TimeProvider clock, Action<int, TimeSpan> committed) : IDisposable
{
    private const int MostAttempts = 12;

    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <exception cref="LostRaceException">The work says so; nothing was saved.</exception>
    /// <exception cref="StoreUnavailableException">Not saved, or not known to be.</exception>
    public async Task<T> RunAsync<T>(Func<PostgresSession, T> work)
    {
        await _turn.WaitAsync();
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return await Task.Run(() => OnceAsync(work));
                }
                catch (Exception conflict) when (PostgresErrors.IsConflict(conflict) && attempt < MostAttempts)
                {
                    chain.Lost();
                    await Transactions.PauseAsync(attempt);
                }
            }
        }
        catch (Exception broken) when (PostgresErrors.IsOfStore(broken))
        {
            throw new StoreUnavailableException(broken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task<T> BetweenAsync<T>(Func<TrailChain, Task<T>> work)
    {
        await _turn.WaitAsync();
        try
        {
            return await work(chain);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task<T> OnceAsync<T>(Func<PostgresSession, T> work)
    {
        await chain.HoldAsync(); // before the transaction: at some isolation levels it sees nothing that came after its beginning
        await using var connection = await database.OpenAsync();
        using var session = new PostgresSession(connection, signing);
        TrailRows? rows = null;
        var result = default(T)!;
        var began = clock.GetTimestamp();
        try
        {
            session.Execute("BEGIN");
            result = work(session);
            rows = await AppendAsync(session);
            session.Execute("COMMIT");
        }
        catch (Exception broken)
        {
            Transactions.RollBack(session);
            foreach (var account in session.Saved) recent.Remove(account.Key); // whether or not it was
            if (!PostgresErrors.IsOfStore(broken) || !PostgresErrors.IsCut(broken)) throw;
            database.Forget();
            chain.Lost();
            if (rows is null || !await chain.AreSavedAsync(rows)) throw;
            return result; // the commit got in, although nobody said so
        }

        foreach (var account in session.Saved) recent.Put(account);
        if (rows is not null) chain.Committed(rows);
        committed(1, clock.GetElapsedTime(began));
        return result;
    }

    private async Task<TrailRows?> AppendAsync(PostgresSession session)
    {
        if (session.Entries.Count == 0) return null;
        var rows = chain.Next(session.Entries);
        await using var batch = new NpgsqlBatch(session.Connection);
        foreach (var command in chain.Commands(rows)) batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync();
        return rows;
    }
}
