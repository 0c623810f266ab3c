using System.Security.Cryptography;
using Mfa.Server.Protection;

namespace Mfa.Server.Store.Postgres;

/// <summary>
/// The version of a database's schema: brings an older one up to this program, and says of what was copied, or is being copied into, that
/// nobody is to serve it.
/// </summary>
internal static class PostgresSchema
{
    /// <summary>The oldest that its makers still mended when this was written.</summary>
    private const int OldestServer = 14;

    /// <summary>The version of a schema that a copy is still being made into.</summary>
    private const int Copying = -1;

    /// <summary>The version of one that was copied to a file, and is not to be served any more.</summary>
    private const int Left = -2;

    /// <summary>Creates the schema, or brings an older one up to this program. Two programs that start at once wait for each other.</summary>
    /// <param name="ring">Signs the beginning of the audit trail.</param>
    /// <returns>The version that was found and the one it is at now.</returns>
    /// <exception cref="StartRefusedException">It cannot be reached or used, or is of a newer program.</exception>
    public static (int Found, int Now) Migrate(this PostgresDatabase database, KeyRing ring) => database.Run(session =>
    {
        if (WhyTooOld(session.Connection.PostgreSqlVersion) is { } why) throw new StartRefusedException($"{database.Name}: {why}");
        return Migrate(session, database.Name, ring);
    });

    /// <summary>Makes it the target of a copy, which no server starts on, or finds that it is one already.</summary>
    /// <exception cref="StartRefusedException">There is something in it.</exception>
    public static void BeginCopy(this PostgresDatabase database, KeyRing ring)
    {
        using (var session = new PostgresSession(database.Open()))
        {
            if (session.Command("SELECT to_regclass('schema_version') IS NOT NULL").ExecuteScalar() is true
                && Version(session) == Copying) return;
        }

        if (!database.IsNew())
            throw new StartRefusedException($"{database.Name}: it is not empty. Copy into a new database, or empty this one first: dropdb, createdb.");
        database.Migrate(ring);
        using var target = new PostgresSession(database.Open());
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
    /// <exception cref="StartRefusedException">It cannot be reached or used.</exception>
    public static bool IsNew(this PostgresDatabase database) => database.Run(session =>
        session.Command("SELECT to_regclass('ring_keys') IS NULL").ExecuteScalar() is true
        || session.Command("SELECT count(*) FROM ring_keys").ExecuteScalar() is 0L);

    /// <returns>What is wrong with such a server and what is accepted; null when it is new enough.</returns>
    private static string? WhyTooOld(Version version) => version.Major >= OldestServer ? null
        : $"it is version {version}. Accepted: PostgreSQL {OldestServer} or newer, or an engine that says it is compatible with one.";

    private static (int Found, int Now) Migrate(PostgresSession session, string name, KeyRing ring)
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
                throw new StartRefusedException($"{name}: a copy into it has not been finished. Run mfa-server store copy again, or empty it first.");
            if (found == Left)
            {
                throw new StartRefusedException($"{name}: it was copied to a file with mfa-server store copy, and is not served any more. Serve that file's " +
                    "folder; from there it can be copied into a new database.");
            }

            if (found > all.Count)
            {
                throw new StartRefusedException($"{name}: written by a newer version of mfa-server (schema {found}, this one knows {all.Count}). " +
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
        state.Bind("@lineage", RandomNumberGenerator.GetBytes(16));
        state.ExecuteNonQuery();
        ChainRows.AddRegister(session, ring);
    }
}
