using Mfa.Server.Protection;
using Mfa.Server.Store;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Backups;

/// <summary>The database that a restore puts aside, held so that no other program writes to it meanwhile.</summary>
internal sealed class ReplacedDatabase : IDisposable
{
    private readonly Session? _held;

    private ReplacedDatabase(Session? held, string? unreadable) => (_held, Unreadable) = (held, unreadable);

    /// <summary>Why nothing can be taken over from it; null when it can be read.</summary>
    public string? Unreadable { get; }

    /// <exception cref="StartRefusedException">Another program writes to it.</exception>
    public static ReplacedDatabase Hold(string path, KeyRing ring)
    {
        Session? held = null;
        try
        {
            var database = new Database(path);
            held = new Session(database.Open());
            held.Execute("BEGIN IMMEDIATE; COMMIT"); // before Migrate, which does not tell a lock from damage
            database.Migrate(ring); // to the columns that the restored one has
            held.Execute("BEGIN IMMEDIATE");
            if (DatabaseCopy.IsWhole(held)) return new ReplacedDatabase(held, unreadable: null);
            held.Dispose();
            return new ReplacedDatabase(held: null, "it is damaged");
        }
        catch (Exception broken) when (broken is SqliteException or StartRefusedException)
        {
            held?.Dispose();
            if (broken is not SqliteException sqlite) return new ReplacedDatabase(held: null, broken.Message);
            if (sqlite.SqliteErrorCode == SQLitePCL.raw.SQLITE_BUSY) throw new StartRefusedException($"{path}: {Database.Explain(sqlite)}");
            return new ReplacedDatabase(held: null, Database.Explain(sqlite));
        }
    }

    public void Dispose() => _held?.Dispose();
}
