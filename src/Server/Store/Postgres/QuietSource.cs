using Mfa.Server.Protection;

namespace Mfa.Server.Store.Postgres;

/// <summary>
/// A PostgreSQL that nobody writes to, held so in one transaction while a file is made of it. A program that is killed meanwhile leaves
/// it as it was.
/// </summary>
internal sealed class QuietSource : IDisposable
{
    private readonly PostgresDatabase _database;

    private QuietSource(PostgresDatabase database, PostgresSession session) => (_database, Session) = (database, session);

    /// <summary>Sees all as it was at one moment, which is how it stays.</summary>
    public PostgresSession Session { get; }

    public string Name => _database.Name;

    /// <exception cref="StartRefusedException">There is nothing in it, or a server works on it.</exception>
    public static QuietSource Hold(PostgresDatabase database, KeyRing ring, DateTimeOffset now)
    {
        PostgresSession? session = null;
        try
        {
            session = new PostgresSession(database.Open());
            if (database.IsNew()) throw new StartRefusedException($"{database.Name}: there is nothing to copy. Check Host and Database.");
            // One that was left before: by a copy that did not get to its last step, or whose file was lost.
            if (!PostgresSchema.IsCurrent(session) && !PostgresSchema.WasLeft(session)) database.Migrate(ring);
            var source = new QuietSource(database, session);
            source.RefuseServed(now); // before anybody has to wait for the locks
            source.Lock();
            source.RefuseServed(now);
            return source;
        }
        catch (Exception failed)
        {
            if (session is not null) Transactions.RollBack(session);
            session?.Dispose();
            if (failed is StoreUnavailableException { InnerException: { } cause }) throw new StartRefusedException($"{database.Name}: {PostgresErrors.Explain(cause)}");
            if (PostgresErrors.IsOfStore(failed)) throw new StartRefusedException($"{database.Name}: {PostgresErrors.Explain(failed)}");
            throw;
        }
    }

    /// <exception cref="StartRefusedException">Rows of it are not as they were left: merged and signed anew, that could not be seen any more.</exception>
    public void RefuseDamagedTrail(KeyRing ring, Action<long> progress)
    {
        if (new ChainVerification(Session, ring).Look(outside: null, progress).Damage is not [var first, ..]) return;
        throw new StartRefusedException($"{Name}: its audit trail is damaged (chain {first.Chain}, row {first.Seq}: {first.What}), which a copy would hide. " +
            "Nothing was moved. See mfa-server audit verify.");
    }

    /// <summary>From here on nobody serves it any more, whatever becomes of this program.</summary>
    /// <exception cref="StartRefusedException">It is not known to be so. The next run finds out.</exception>
    public void Leave()
    {
        try
        {
            PostgresSchema.Leave(Session);
            Session.Execute("COMMIT");
        }
        catch (Exception broken) when (PostgresErrors.IsOfStore(broken))
        {
            throw new StartRefusedException($"{Name}: {PostgresErrors.Explain(broken)} The last step is missing: run the same again.");
        }
    }

    public void Dispose()
    {
        Transactions.RollBack(Session);
        Session.Dispose();
    }

    /// <summary>Servers let go of their chains when they stop. One that was killed holds them until its lease is over.</summary>
    private void RefuseServed(DateTimeOffset now)
    {
        var command = Session.Command("SELECT max(held_until) FROM audit_head WHERE chain > 0 AND held_until > @now");
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        if (command.ExecuteScalar() is not long until) return;
        throw new StartRefusedException($"{Name}: a server or an operator's verb works on it. Stop all of them first; one that was killed counts until " +
            $"{DateTimeOffset.FromUnixTimeMilliseconds(until).UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}.");
    }

    private void Lock()
    {
        var tables = CopiedTable.All.Select(table => table.Name).Concat(["audit_head", "database_state", "schema_version"]);
        Session.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
        Session.Execute("SET LOCAL lock_timeout = '5s'");
        Session.Execute("SET LOCAL statement_timeout = 0");
        Session.Execute("SET LOCAL idle_in_transaction_session_timeout = '30min'"); // when this machine is gone, and nobody told
        Session.Execute($"LOCK TABLE {string.Join(", ", tables)} IN SHARE ROW EXCLUSIVE MODE");
    }
}
