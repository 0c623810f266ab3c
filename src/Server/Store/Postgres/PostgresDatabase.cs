using Mfa.Server.Protection;
using Npgsql;

namespace Mfa.Server.Store.Postgres;

/// <summary>The one place that opens connections to PostgreSQL, and brings its schema up to this program.</summary>
internal sealed class PostgresDatabase : IDisposable
{
    /// <summary>The oldest that its makers still mended when this was written.</summary>
    private const int OldestServer = 14;

    /// <summary>The version of a schema that a copy is still being made into.</summary>
    private const int Copying = -1;

    /// <summary>The version of one that was copied to a file, and is not to be served any more.</summary>
    private const int Left = -2;

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

    /// <summary>Creates the schema, or brings an older one up to this program. Two programs that start at once wait for each other.</summary>
    /// <param name="ring">Signs the beginning of the audit trail.</param>
    /// <returns>The version that was found and the one it is at now.</returns>
    /// <exception cref="StartRefusedException">It cannot be reached or used, or is of a newer program.</exception>
    public (int Found, int Now) Migrate(KeyRing ring)
    {
        try
        {
            using var connection = _source.OpenConnection();
            if (WhyTooOld(connection.PostgreSqlVersion) is { } why) throw new StartRefusedException($"{Name}: {why}");
            using var session = new PostgresSession(connection);
            return Migrate(session, ring);
        }
        catch (Exception broken) when (PostgresErrors.IsOfStore(broken))
        {
            throw new StartRefusedException($"{Name}: {PostgresErrors.Explain(broken)}");
        }
    }

    /// <returns>What is wrong with such a server and what is accepted; null when it is new enough.</returns>
    public static string? WhyTooOld(Version version) => version.Major >= OldestServer ? null
        : $"it is version {version}. Accepted: PostgreSQL {OldestServer} or newer, or an engine that says it is compatible with one.";

    /// <summary>Makes it the target of a copy, which no server starts on, or finds that it is one already.</summary>
    /// <exception cref="StartRefusedException">There is something in it.</exception>
    public void BeginCopy(KeyRing ring)
    {
        using (var session = new PostgresSession(Open()))
        {
            if (session.Command("SELECT to_regclass('schema_version') IS NOT NULL").ExecuteScalar() is true
                && Version(session) == Copying) return;
        }

        if (!IsNew()) throw new StartRefusedException($"{Name}: it is not empty. Copy into a new database, or empty this one first: dropdb, createdb.");
        Migrate(ring);
        using var target = new PostgresSession(Open());
        SetVersion(target, Copying);
    }

    /// <summary>Within the transaction that copies the last of it.</summary>
    public static void EndCopy(PostgresSession session) => SetVersion(session, PostgresMigrations.All.Count);

    /// <summary>
    /// Within the transaction that has kept everybody out while a file was made of it: from its commit on nobody starts on it, and a server
    /// that was only thought to be dead has no chain to append to, nor may it begin one. What it decides is not saved.
    /// </summary>
    public static void Leave(PostgresSession session)
    {
        session.Execute("UPDATE audit_head SET held_by = NULL, held_until = 0");
        SetVersion(session, Left);
    }

    public static bool WasLeft(PostgresSession session) => Version(session) == Left;

    public static bool IsCurrent(PostgresSession session) => Version(session) == PostgresMigrations.All.Count;

    /// <returns>Whether servers may write to it: it is neither being copied into nor was it left for a file.</returns>
    public static bool MayBeServed(PostgresSession session) => Version(session) > 0;

    /// <returns>Whether nobody has written to it yet.</returns>
    public bool IsNew()
    {
        try
        {
            using var connection = _source.OpenConnection();
            using var session = new PostgresSession(connection);
            return session.Command("SELECT to_regclass('ring_keys') IS NULL").ExecuteScalar() is true
                || session.Command("SELECT count(*) FROM ring_keys").ExecuteScalar() is 0L;
        }
        catch (Exception broken) when (PostgresErrors.IsOfStore(broken))
        {
            throw new StartRefusedException($"{Name}: {PostgresErrors.Explain(broken)}");
        }
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

    private (int Found, int Now) Migrate(PostgresSession session, KeyRing ring)
    {
        var all = PostgresMigrations.All;
        // Without a table there is no row to lock; whoever comes second here waits for the first one's row, and then finds it.
        session.Execute("CREATE TABLE IF NOT EXISTS schema_version (id smallint NOT NULL PRIMARY KEY, version integer NOT NULL)");
        session.Execute("INSERT INTO schema_version (id, version) VALUES (1, 0) ON CONFLICT DO NOTHING");
        session.Execute("BEGIN");
        try
        {
            var found = (int)session.Command("SELECT version FROM schema_version WHERE id = 1 FOR UPDATE").ExecuteScalar()!;
            if (found == Copying)
                throw new StartRefusedException($"{Name}: a copy into it has not been finished. Run mfa-server store copy again, or empty it first.");
            if (found == Left)
            {
                throw new StartRefusedException($"{Name}: it was copied to a file with mfa-server store copy, and is not served any more. Serve that file's " +
                    "folder; from there it can be copied into a new database.");
            }

            if (found > all.Count)
            {
                throw new StartRefusedException($"{Name}: written by a newer version of mfa-server (schema {found}, this one knows {all.Count}). " +
                    "Install that version again.");
            }

            for (var version = found; version < all.Count; version++) session.Execute(all[version]);
            if (found == 0) Begin(session, ring);
            if (found < all.Count) SetVersion(session, all.Count);
            session.Execute("COMMIT");
            return (found, all.Count);
        }
        catch (StartRefusedException)
        {
            session.Execute("ROLLBACK");
            throw;
        }
    }

    private static int Version(PostgresSession session) => (int)session.Command("SELECT version FROM schema_version WHERE id = 1").ExecuteScalar()!;

    private static void SetVersion(PostgresSession session, int version)
    {
        var note = session.Command("UPDATE schema_version SET version = @version WHERE id = 1");
        note.Bind("@version", version);
        note.ExecuteNonQuery();
    }

    private static void Begin(PostgresSession session, KeyRing ring)
    {
        var state = session.Command("INSERT INTO database_state (id, lineage, mark) VALUES (1, @lineage, 0)");
        state.Bind("@lineage", System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));
        state.ExecuteNonQuery();
        ChainRows.AddRegister(session, ring);
    }
}
