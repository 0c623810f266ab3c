using Mfa.Server.Protection;
using Mfa.Server.Rotation;
using Mfa.Server.Store;
using Mfa.Server.Store.Postgres;

namespace Mfa.Server.Doctor;

/// <summary>The PostgreSQL that servers share, looked at without changing anything.</summary>
internal sealed class PostgresChecks(Patient patient, string store)
{
    private static readonly string[] Durable = ["fsync", "full_page_writes"];

    public Finding Reachable() => Look((database, session) =>
        Finding.Ok($"{database.Name}, version {session.Connection.PostgreSqlVersion}, takes writes."));

    public Finding Schema() => Look((_, session) =>
    {
        if (Value(session, "SELECT to_regclass('schema_version')::text") is null)
            return Finding.Warn("there is none yet.", "The first start creates it, or: mfa-server store migrate");
        if (!PostgresSchema.MayBeServed(session))
            return Finding.Fail("no server starts on it: it was copied to a file, or a copy into it was not finished.", "Serve that file's folder, or run mfa-server store copy again.");
        var (version, known) = (Convert.ToInt32(Value(session, "SELECT version FROM schema_version")), PostgresMigrations.All.Count);
        return version == known ? Finding.Ok($"version {version}.")
            : version < known ? Finding.Warn($"version {version}; this program brings it to {known}.", "Take a backup; the next start of mfa-server, or any of its verbs, does it.")
            : Finding.Fail($"version {version}; this program knows {known}.", "Install the newer version of mfa-server again.");
    });

    /// <summary>What was answered must be there after a power cut, and after the loss of the machine that the database runs on.</summary>
    public Finding Durability() => Look((_, session) =>
    {
        foreach (var setting in Durable)
        {
            if (Value(session, $"SELECT current_setting('{setting}')") is not "on")
                return Finding.Fail($"{setting} is off: a power cut can make used codes good again.", $"Set {setting} = on in postgresql.conf.");
        }

        var commit = Value(session, "SELECT current_setting('synchronous_commit')");
        if (commit is "off") return Finding.Fail("synchronous_commit is off: a crash can make used codes good again.", "Set synchronous_commit = on.");
        if (Value(session, "SELECT current_setting('synchronous_standby_names')") is not { } standbys)
        {
            return Finding.Warn("every commit is on disk here, and nowhere else before it is answered.",
                "A failover to a standby would lose the last moments. For none lost, set synchronous_standby_names; see docs/postgresql.md.");
        }

        if (commit is "local")
            return Finding.Warn($"synchronous_commit is local: no commit waits for {standbys}, and a failover loses the last moments.", "Set synchronous_commit = on.");
        if (commit is "remote_write")
            return Finding.Warn($"synchronous_commit is remote_write: {standbys} has each commit, but perhaps not on its disk. Lost when both machines fail at once.", "Set synchronous_commit = on.");
        return Value(session, "SELECT 1 FROM pg_stat_replication LIMIT 1") is null
            ? Finding.Fail($"commits wait for {standbys}, and no standby is connected: nothing can be saved.", "Bring a standby back, or clear synchronous_standby_names for as long as there is none.")
            : Finding.Ok($"every commit is on disk, here and on {standbys}.");
    });

    public Finding Keys() => Look((_, session) =>
    {
        if (!File.Exists(patient.Ring)) return Finding.Fail("there is no key ring to compare with.", "Copy keys.json from another server of this database, or restore it from its backup.");
        if (Value(session, "SELECT to_regclass('ring_keys')::text") is null) return Finding.Ok("none yet.");
        var stranger = RingCheck.Stranger(RingKeyRows.CheckValues(session), KeyRingFile.Load(patient.Ring));
        return stranger is null
            ? Finding.Ok("all in the key ring.")
            : Finding.Fail($"{patient.Ring} is not the key ring this database was written with (key {stranger:x8}).", "Put the right file back.");
    });

    private static string? Value(PostgresSession session, string sql) => Convert.ToString(session.Command(sql).ExecuteScalar()) is { Length: > 0 } text ? text : null;

    private Finding Look(Func<PostgresDatabase, PostgresSession, Finding> at)
    {
        using var database = new PostgresDatabase(store);
        try
        {
            using var session = new PostgresSession(database.Open());
            return at(database, session);
        }
        catch (Exception broken) when (broken is StoreUnavailableException || PostgresErrors.IsOfStore(broken))
        {
            var cause = broken is StoreUnavailableException { InnerException: { } inner } ? inner : broken;
            return Finding.Fail($"{database.Name} cannot be used: {PostgresErrors.Explain(cause)}", "Every call that must be saved fails meanwhile.");
        }
    }
}
