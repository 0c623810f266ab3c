using Mfa.Server.Protection;
using Mfa.Server.Rotation;
using Mfa.Server.Store;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Doctor;

/// <summary>The SQLite file, looked at through connections that cannot write.</summary>
internal sealed class DatabaseChecks(Patient patient)
{
    public Finding Intact() => Look(session =>
    {
        var fault = Value(session, "PRAGMA quick_check(1)");
        return fault is "ok"
            ? Finding.Ok($"{patient.Database} is intact.")
            : Finding.Fail($"{patient.Database} is damaged: {fault}.", "Stop the server and restore the database from a backup.");
    });

    public Finding Schema() => Look(session =>
    {
        var (version, known) = (Convert.ToInt32(Value(session, "PRAGMA user_version")), Migrations.All.Count);
        return version == known ? Finding.Ok($"version {version}.")
            : version < known ? Finding.Warn($"version {version}; this program brings it to {known}.", "Take a backup; the next start of mfa-server, or any of its verbs, does it.")
            : Finding.Fail($"version {version}; this program knows {known}.", "Install the newer version of mfa-server again.");
    });

    public Finding Journal() => Look(_ =>
    {
        // From the file's header (SQLite file format §1.3.3): 2 is a write-ahead log. A connection that cannot write may say otherwise.
        using var file = File.OpenHandle(patient.Database, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        Span<byte> versions = stackalloc byte[2];
        return RandomAccess.Read(file, versions, fileOffset: 18) == 2 && versions is [2, 2]
            ? Finding.Ok("a write-ahead log.")
            : Finding.Warn("no write-ahead log: somebody changed the mode.", "The next start of mfa-server sets it right.");
    });

    public Finding Keys() => Look(session =>
    {
        if (!File.Exists(patient.Ring)) return Finding.Fail("there is no key ring to compare with.", "Restore keys.json from its backup.");
        var stranger = RingCheck.Stranger(RingKeyRows.CheckValues(session), KeyRingFile.Load(patient.Ring));
        return stranger is null
            ? Finding.Ok("all in the key ring.")
            : Finding.Fail($"{patient.Ring} is not the key ring this database was written with (key {stranger:x8}).", "Put the right file back.");
    });

    /// <param name="longestLock">The longest that a lock may last on this server.</param>
    public Finding Marks(TimeSpan longestLock) => Look(session =>
    {
        if (Convert.ToInt32(Value(session, "PRAGMA user_version")) != Migrations.All.Count) return Finding.Ok("to be looked at once the schema is this program's.");
        var now = patient.Clock.GetUtcNow();
        var marks = ClockRepair.Inspect(session, now, longestLock);
        return marks.AreAhead(now)
            ? Finding.Fail(
                $"the clock says {now:u}, but what was saved goes up to {marks.Mark:u}: {marks.StepsAhead} accounts, {marks.LocksTooLong} locks and " +
                $"{marks.LivesTooLong} lifetimes lie ahead.",
                "Set the clock right if it is behind. If it is right, stop the server and run: mfa-server clock repair --yes")
            : Finding.Ok("nothing was saved at a time that is still to come.");
    });

    private static string? Value(Session session, string pragma) => Convert.ToString(session.Command(pragma).ExecuteScalar());

    private Finding Look(Func<Session, Finding> at)
    {
        var database = new Database(patient.Database);
        if (database.IsLost)
        {
            return File.Exists(patient.Ring)
                ? Finding.Fail($"{patient.Database} is missing or empty, but its key ring is there.", database.LostRemedy)
                : Finding.Warn($"{patient.Database} is not there yet.", "The first start creates it. If there was one, restore it from a backup.");
        }

        if (database.HasLooseLog)
            return Finding.Warn("its log has not been taken in yet, and cannot be read without changing a file.", "Start the server, then look again.");
        try
        {
            using var session = new Session(database.OpenReadOnly());
            return at(session);
        }
        catch (SqliteException broken)
        {
            return Finding.Fail($"{patient.Database} cannot be read.", $"SQLite says: {Database.Explain(new StoreUnavailableException(broken))}");
        }
    }
}
