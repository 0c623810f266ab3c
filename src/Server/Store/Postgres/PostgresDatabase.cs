using Npgsql;

namespace Mfa.Server.Store.Postgres;

/// <summary>The one place that opens connections to PostgreSQL.</summary>
internal sealed class PostgresDatabase : IDisposable
{
    private readonly NpgsqlConnectionStringBuilder _address;
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _saves;
    private volatile bool _prepares;

    /// <param name="store">A connection string.</param>
    /// <param name="option">Where it was given, for messages.</param>
    /// <param name="patience">How long one statement may take, where the connection string does not say.</param>
    public PostgresDatabase(string store, string option = "--store", TimeSpan? patience = null)
    {
        _address = PostgresAddress.Parse(store, option, patience);
        _source = SourceOf(_address);
        _saves = SourceOf(new NpgsqlConnectionStringBuilder(_address.ConnectionString) { MinPoolSize = 0, MaxPoolSize = 1 });
    }

    public string Name => PostgresAddress.Print(_address);

    /// <exception cref="StoreUnavailableException">It cannot be reached.</exception>
    public async Task<NpgsqlConnection> OpenAsync()
    {
        try
        {
            return await _source.OpenConnectionAsync();
        }
        catch (Exception broken) when (PostgresErrors.IsOfStore(broken))
        {
            throw new StoreUnavailableException(broken);
        }
    }

    /// <exception cref="StoreUnavailableException">It cannot be reached.</exception>
    public NpgsqlConnection Open() => Open(_source);

    /// <summary>
    /// The one connection that groups are saved on, for the thread that saves them. Nobody ever waits for it in another way, and so its
    /// socket wakes that thread by itself.
    /// </summary>
    /// <exception cref="StoreUnavailableException">It cannot be reached.</exception>
    public NpgsqlConnection OpenToSave() => Open(_saves);

    /// <summary>Reads once more when the connection turns out to be of a server that is gone: nothing is changed by it.</summary>
    /// <exception cref="StoreUnavailableException">It does not answer.</exception>
    public async Task<T> ReadAsync<T>(Func<NpgsqlConnection, Task<T>> read)
    {
        for (var again = false; ; again = true)
        {
            await using var connection = await OpenAsync();
            try
            {
                return await read(connection);
            }
            catch (Exception broken) when (PostgresErrors.IsOfStore(broken))
            {
                if (PostgresErrors.IsCut(broken)) Forget();
                if (PostgresErrors.IsNotPrepared(broken)) StopPreparing();
                if (again || !PostgresErrors.IsCut(broken)) throw new StoreUnavailableException(broken);
            }
        }
    }

    /// <summary>The same on the caller's thread.</summary>
    /// <exception cref="StoreUnavailableException">It does not answer.</exception>
    public T Read<T>(Func<PostgresSession, T> read)
    {
        for (var again = false; ; again = true)
        {
            using var session = new PostgresSession(Open());
            try
            {
                return read(session);
            }
            catch (Exception broken) when (PostgresErrors.IsOfStore(broken))
            {
                if (PostgresErrors.IsCut(broken)) Forget();
                if (again || !PostgresErrors.IsCut(broken)) throw new StoreUnavailableException(broken);
            }
        }
    }

    /// <summary>The same for an operator, who is told what to do about a database that cannot be used.</summary>
    /// <exception cref="StartRefusedException">It cannot be reached or used.</exception>
    public T Run<T>(Func<PostgresSession, T> work)
    {
        try
        {
            using var session = new PostgresSession(_source.OpenConnection());
            return work(session);
        }
        catch (Exception broken) when (PostgresErrors.IsOfStore(broken))
        {
            throw new StartRefusedException($"{Name}: {PostgresErrors.Explain(broken)}");
        }
    }

    /// <summary>After one connection broke, the others that wait in the pool are of the same server that is gone.</summary>
    public void Forget()
    {
        _source.Clear();
        _saves.Clear();
    }

    /// <summary>
    /// Looks whether a statement that was prepared on a connection will be found there again. Behind a pooler that lends connections
    /// by transaction it will not; a pooler is known by the process it names, which is not the one that answers.
    /// </summary>
    public void LookForPooler() => _prepares = Read(session => (int)session.Command("SELECT pg_backend_pid()").ExecuteScalar()! == session.Connection.ProcessID);

    /// <summary>Has the database keep the statements of a batch parsed and planned, where it can: half of its work on a group is that.</summary>
    public Task PrepareAsync(NpgsqlBatch batch) => _prepares ? batch.PrepareAsync() : Task.CompletedTask;

    /// <summary>The same on the caller's thread.</summary>
    public void Prepare(NpgsqlBatch batch)
    {
        if (_prepares) batch.Prepare();
    }

    /// <summary>A pooler has come in between since.</summary>
    public void StopPreparing()
    {
        _prepares = false;
        Forget();
    }

    public void Dispose()
    {
        _source.Dispose();
        _saves.Dispose();
    }

    private static NpgsqlDataSource SourceOf(NpgsqlConnectionStringBuilder address)
    {
        var builder = new NpgsqlSlimDataSourceBuilder(address.ConnectionString);
        builder.EnableArrays();
        builder.EnableTransportSecurity();
        // Of several hosts the one that takes writes: another one after a failover.
        return address.Host!.Contains(',') ? builder.BuildMultiHost().WithTargetSession(TargetSessionAttributes.ReadWrite) : builder.Build();
    }

    private static NpgsqlConnection Open(NpgsqlDataSource source)
    {
        try
        {
            return source.OpenConnection();
        }
        catch (Exception broken) when (PostgresErrors.IsOfStore(broken))
        {
            throw new StoreUnavailableException(broken);
        }
    }
}
