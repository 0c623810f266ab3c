using Mfa.Server.Protection;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store.Postgres;

/// <summary>
/// Copies the SQLite file of a folder that nobody serves into an empty PostgreSQL. Until the end no server starts on the target; a
/// copy that was broken off goes on where it stopped. At the end every table must have the same digest on both sides.
/// </summary>
internal static class StoreCopy
{
    /// <param name="progress">The table, its rows so far and all of them.</param>
    /// <returns>Each table with its rows and its digest.</returns>
    /// <exception cref="StartRefusedException">The target is not empty, or not what was copied.</exception>
    public static List<(string Table, long Rows, string Digest)> Run(
        Database source, PostgresDatabase target, KeyRing ring, Action<string, long, long> progress)
    {
        try
        {
            target.BeginCopy(ring);
            using var file = new Session(source.Open());
            file.Execute("BEGIN IMMEDIATE"); // no operator verb changes anything meanwhile
            using var session = new PostgresSession(target.Open());
            var copied = CopiedTable.All.Select(table => CopyTable(table, file, session, progress)).ToList();
            Transactions.Run(session, _ =>
            {
                CopyState(file, session, ring);
                PostgresSchema.EndCopy(session);
                return true;
            });
            file.Execute("COMMIT");
            return copied;
        }
        catch (SqliteException broken)
        {
            throw new StartRefusedException($"{source.Path}: {Database.Explain(broken)}");
        }
        catch (Exception broken) when (PostgresErrors.IsOfStore(broken) || broken is StoreUnavailableException)
        {
            var cause = broken is StoreUnavailableException { InnerException: { } inner } ? inner : broken;
            throw new StartRefusedException($"{target.Name}: {PostgresErrors.Explain(cause)} Run the same again: it goes on where it stopped.");
        }
    }

    private static (string, long, string) CopyTable(CopiedTable table, Session file, PostgresSession target, Action<string, long, long> progress)
    {
        var all = table.Count(file);
        var done = table.Count(target);
        PagesToPostgres.Copy(table, file, target, rows => progress(table.Name, done += rows, all));
        var columns = table.Columns(file);
        var (from, to) = (table.Digest(file, columns), table.Digest(target, columns));
        return from == to
            ? (table.Name, all, from)
            : throw new StartRefusedException($"{table.Name}: the target has not what the source has; the source was changed since the copy began. " +
                "Empty the target (dropdb, createdb) and run it again.");
    }

    /// <summary>What is one row on both sides, but not the same one.</summary>
    private static void CopyState(Session file, PostgresSession target, KeyRing ring)
    {
        var head = AuditHead.Find(file, out var mac, out var keyId);
        if (head is null || !head.IsSigned(ring, keyId, mac!))
            throw new StartRefusedException("The end of the audit trail was altered: see mfa-server audit verify. Nothing was moved.");
        ChainRows.Move(target, head, ring);
        using var row = file.Command("SELECT lineage, mark, restore_time FROM database_state").ExecuteReader();
        row.Read();
        var state = target.Command("UPDATE database_state SET lineage = @lineage, mark = @mark, restore_time = @restored WHERE id = 1");
        state.Bind("@lineage", row.GetFieldValue<byte[]>(0));
        state.Bind("@mark", row.GetInt64(1));
        state.Bind("@restored", row.IsDBNull(2) ? (long?)null : row.GetInt64(2));
        state.ExecuteNonQuery();
    }
}
