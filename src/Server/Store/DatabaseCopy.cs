using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Mfa.Server.Store;

/// <summary>How much a database holds.</summary>
internal sealed record RowCounts(long Accounts, long ApiKeys, long Users);

/// <summary>Copies a database while others write to it: all of it is as it was at one moment.</summary>
internal static class DatabaseCopy
{
    /// <summary>Pages a step: 4 MiB, a fraction of a second.</summary>
    private const int Step = 1024;

    /// <param name="to">An empty file.</param>
    /// <param name="progress">Told pages that are done, of how many.</param>
    /// <returns>What was in it at that moment.</returns>
    public static RowCounts Take(Database database, string to, Action<long, long> progress)
    {
        using var source = database.Open();
        using var session = new Session(source);
        using var target = OpenAlone(to);
        // The read transaction is the moment: without it, every write of another process would start the copy over.
        session.Execute("BEGIN");
        var rows = Count(session);
        using var copy = raw.sqlite3_backup_init(target.Handle, "main", source.Handle, "main");
        if (copy.IsInvalid) SqliteException.ThrowExceptionForRC(raw.sqlite3_errcode(target.Handle), target.Handle);
        int result;
        do
        {
            result = raw.sqlite3_backup_step(copy, Step);
            var pages = raw.sqlite3_backup_pagecount(copy);
            progress(pages - raw.sqlite3_backup_remaining(copy), pages);
        }
        while (result == raw.SQLITE_OK);

        if (result != raw.SQLITE_DONE) SqliteException.ThrowExceptionForRC(result, target.Handle);
        return rows;
    }

    /// <summary>Opens a database that nobody else uses yet. It stays one file: no write-ahead log, and its journal in memory.</summary>
    public static SqliteConnection OpenAlone(string path)
    {
        var text = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false };
        var connection = new SqliteConnection(text.ToString());
        connection.Open();
        Database.Execute(connection, """
            PRAGMA journal_mode = DELETE;
            PRAGMA journal_mode = MEMORY;
            PRAGMA synchronous = OFF;
            PRAGMA secure_delete = ON;
            PRAGMA trusted_schema = OFF;
            PRAGMA temp_store = MEMORY;
            """);
        return connection;
    }

    public static bool IsWhole(Session session)
    {
        try
        {
            return session.Command("PRAGMA integrity_check(1)").ExecuteScalar() is "ok";
        }
        catch (SqliteException broken) when (broken.SqliteErrorCode is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB)
        {
            return false;
        }
    }

    public static RowCounts Count(Session session)
    {
        using var row = session.Command("SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM api_keys), (SELECT count(*) FROM users)")
            .ExecuteReader();
        row.Read();
        return new RowCounts(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2));
    }
}
