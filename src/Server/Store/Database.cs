using Mfa.Server.Protection;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store;

/// <summary>
/// The SQLite file of a data folder: the one place that opens connections and sets what they rely on.
/// </summary>
internal sealed class Database(string path)
{
    /// <summary>How long a statement waits for another process's write lock before it gives up as unavailable.</summary>
    private const int BusySeconds = 2;

    private const string CannotWrite = "this user cannot open or write it. Check the owner and mode of the file and its folder.";

    public string Path => path;

    static Database()
    {
        // Connections are never shared by threads, and nobody asks SQLite how much memory it uses: what it would lock for both, at
        // each call and each piece of memory, it need not.
        SQLitePCL.Batteries_V2.Init();
        _ = SQLitePCL.raw.sqlite3_config(SQLitePCL.raw.SQLITE_CONFIG_MULTITHREAD);
        _ = SQLitePCL.raw.sqlite3_config(SQLitePCL.raw.SQLITE_CONFIG_MEMSTATUS, 0);
    }

    /// <summary>A connection of the caller's own, to be used by one thread at a time.</summary>
    public SqliteConnection Open() => Open(SqliteOpenMode.ReadWrite);

    private SqliteConnection Open(SqliteOpenMode mode) =>
        // WAL lets readers go on while one writer commits. FULL syncs the log at every commit: with NORMAL a power cut
        // takes back commits that were acknowledged, and a used code would be good again. Deleted secrets are
        // overwritten. A schema cannot call functions behind our back. SQLite waits for a lock in small steps by itself; the
        // driver's own wait looks every 150 ms, which an operator verb at work would make callers feel.
        Open(path, mode, """
            PRAGMA busy_timeout = 2000;
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            PRAGMA secure_delete = ON;
            PRAGMA trusted_schema = OFF;
            PRAGMA temp_store = MEMORY;
            """);

    /// <summary>Whether a log waits to be taken in, and nobody can read it without making its index: after a copy by hand.</summary>
    public bool HasLooseLog => !File.Exists($"{path}-shm") && new FileInfo($"{path}-wal") is { Exists: true, Length: > 0 };

    /// <summary>A connection for a look that changes nothing, beside a running server or on what it left.</summary>
    public SqliteConnection OpenReadOnly()
    {
        // A reader would make the index of the log (-shm) when it is not there. It is not when nobody has the database open,
        // and then it may be read as a file that stays as it is. With the index, the log is read too, and left as it is.
        var unused = File.Exists($"{path}-shm") ? "" : "&immutable=1";
        var uri = string.Join('/', System.IO.Path.GetFullPath(path).Split('/').Select(Uri.EscapeDataString));
        return Open($"file:{uri}?mode=ro{unused}", SqliteOpenMode.ReadOnly, "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;");
    }

    /// <summary>As <see cref="Migrate(KeyRing)"/>, and creates the file when it is not there. Only for a folder that never had one.</summary>
    public void Create(KeyRing ring) => Migrate(ring, SqliteOpenMode.ReadWriteCreate);

    /// <summary>Brings the file up to this program, each step in a transaction.</summary>
    /// <param name="ring">Signs the audit trail, where that begins, and opens older hashes of passwords.</param>
    /// <exception cref="StartRefusedException">The file is missing, of a newer program, no database, or cannot be written.</exception>
    public void Migrate(KeyRing ring) => Migrate(ring, SqliteOpenMode.ReadWrite);

    private void Migrate(KeyRing ring, SqliteOpenMode mode)
    {
        if (mode == SqliteOpenMode.ReadWrite && IsLost) throw Lost();
        try
        {
            var connection = Open(mode);
            using var session = new Session(connection);
            // SQLite reads on where it may not write, and a server would start that can answer nothing.
            if (SQLitePCL.raw.sqlite3_db_readonly(connection.Handle, "main") == 1)
                throw new StartRefusedException($"{path}: {CannotWrite}");
            var migrations = Migrations.All;
            using var transaction = connection.BeginTransaction(deferred: false); // two programs may start at once
            var version = Migrations.VersionOf(connection, transaction);
            if (version == 0 && mode == SqliteOpenMode.ReadWrite) throw Lost();
            if (version > migrations.Count)
            {
                throw new StartRefusedException($"{path}: written by a newer version of mfa-server (schema {version}, this one knows " +
                    $"{migrations.Count}). Install that version again.");
            }

            var before = version;
            for (; version < migrations.Count; version++)
                Migrations.Apply(connection, transaction, version + 1, migrations[version]);
            // With the tables, never later: a trail whose head is not there was tampered with.
            if (before < Migrations.Audit) AuditHead.NewTrail().Save(session, ring);
            if (before < Migrations.NamedPasswords) NamedPasswords.Rewrite(session, ring);
            transaction.Commit();
        }
        catch (SqliteException broken)
        {
            throw new StartRefusedException($"{path}: {Explain(broken)}");
        }
    }

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Not there, or without a single page.</summary>
    public bool IsLost => new FileInfo(path) is not { Exists: true, Length: > 0 };

    /// <summary>What to do when a database is lost.</summary>
    public string LostRemedy => "Restore it from its backup (mfa-server restore FILE), or the disk that it is on. To begin anew with no account at " +
        $"all: mfa-server init --empty --data {System.IO.Path.GetDirectoryName(path)}";

    private StartRefusedException Lost() =>
        new($"{path}: missing or empty, but its key ring is there, so every account would seem to have no second factor. {LostRemedy}");

    /// <summary>What is wrong and what to do, for an operator.</summary>
    public static string Explain(StoreUnavailableException unavailable) =>
        unavailable.InnerException is SqliteException broken ? Explain(broken) : "it does not answer.";

    private static SqliteConnection Open(string source, SqliteOpenMode mode, string pragmas)
    {
        var text = new SqliteConnectionStringBuilder
        {
            DataSource = source,
            Mode = mode,
            Pooling = false, // the store keeps its own few connections, with their prepared statements
            ForeignKeys = true,
            DefaultTimeout = BusySeconds,
        };
        var connection = new SqliteConnection(text.ToString());
        try
        {
            connection.Open();
            Execute(connection, pragmas);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public static string Explain(SqliteException broken) => broken.SqliteErrorCode switch
    {
        SQLitePCL.raw.SQLITE_CANTOPEN or SQLitePCL.raw.SQLITE_PERM or SQLitePCL.raw.SQLITE_READONLY => CannotWrite,
        SQLitePCL.raw.SQLITE_NOTADB or SQLitePCL.raw.SQLITE_CORRUPT =>
            "it is damaged or not a database. Restore it from a backup.",
        SQLitePCL.raw.SQLITE_FULL => "the disk is full.",
        SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED => "another program keeps it locked. Stop that one first.",
        _ => $"SQLite error {broken.SqliteErrorCode}.",
    };
}
