using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store.Postgres;

/// <summary>
/// Copies a PostgreSQL that no server works on into a file that nobody serves yet. What was broken off goes on where it stopped. At
/// the end every table must have the same digest on both sides, the audit trail by what its rows say: they are chained anew.
/// </summary>
internal sealed class StoreCopyBack(QuietSource source, string path, KeyRing ring, Action<string, long, long> progress)
{
    private static readonly string[] OfTheChain = ["seq", "hash"];

    /// <summary>Fills the file. It is complete, and one file, when this returns; whoever serves it next must be let in by the source's end.</summary>
    /// <param name="row">Makes the rows of the audit trail that tell of the move.</param>
    /// <returns>Each table with its rows and its digest.</returns>
    /// <exception cref="StartRefusedException">It cannot be filled, or is not what the source has.</exception>
    public List<(string Table, long Rows, string Digest)> Fill(Func<string, AuditEntry> row)
    {
        try
        {
            BeginAnewIfLate();
            using var file = Open();
            var trail = new MergedTrail(source.Session, file, ring);
            var (isEnded, rows) = (MergedTrail.IsEnded(file), AuditCount());
            if (!isEnded) CopyAll(file, trail, rows);
            var tables = Tables.Select(table => Compare(table, file)).Append(CompareTrail(file, rows)).ToList();
            if (!isEnded) End(file, trail, row);
            Verify(file, rows);
            file.Execute("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;");
            return tables;
        }
        catch (SqliteException broken)
        {
            var again = broken.SqliteErrorCode is SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB
                ? "The unfinished file is damaged. Remove it, and run the same again."
                : $"{Database.Explain(broken)} Run the same again: it goes on where it stopped.";
            throw new StartRefusedException($"{path}: {again}");
        }
        catch (Exception broken) when (PostgresErrors.IsOfStore(broken))
        {
            throw new StartRefusedException($"{source.Name}: {PostgresErrors.Explain(broken)} Run the same again: it goes on where it stopped.");
        }
    }

    /// <summary>All but the trail, which is not the same on both sides.</summary>
    private static IEnumerable<CopiedTable> Tables => CopiedTable.All.Where(table => !table.InChain);

    private static CopiedTable Trail => CopiedTable.All.Single(table => table.Name == "audit");

    /// <summary>A file that was completed for a source that was not left after all: servers may have gone on with that one since.</summary>
    private void BeginAnewIfLate()
    {
        if (!File.Exists(path) || PostgresSchema.WasLeft(source.Session)) return;
        using (var file = Open())
        {
            if (!MergedTrail.IsEnded(file)) return;
        }

        Remove();
    }

    private Session Open()
    {
        var database = new Database(path);
        database.Create(ring);
        var file = new Session(database.Open());
        file.Execute("PRAGMA synchronous = NORMAL"); // a power cut may take the last pages back, never a part of one; it is synced in the end
        return file;
    }

    private void CopyAll(Session file, MergedTrail trail, long rows)
    {
        source.RefuseDamagedTrail(ring, done => progress("audit trail checked", done, rows));
        foreach (var table in Tables)
        {
            var (all, done) = (table.Count(source.Session), table.Count(file));
            PagesToFile.Copy(table, source.Session, file, more => progress(table.Name, done += more, all));
        }

        var moved = Trail.Count(file);
        trail.Copy(more => progress(Trail.Name, moved += more, rows));
    }

    private (string, long, string) Compare(CopiedTable table, Session file)
    {
        var columns = table.Columns(file);
        return Same(table.Name, table.Count(source.Session), table.Digest(source.Session, columns), table.Digest(file, columns));
    }

    /// <summary>All that the rows say, without their place in a chain. Rows of the move itself stand behind them.</summary>
    private (string, long, string) CompareTrail(Session file, long rows)
    {
        var columns = Trail.Columns(file).FindAll(column => !OfTheChain.Contains(column.Name));
        return Same(Trail.Name, rows, CopiedTable.Digest(source.Session, columns, Trail.Name, TrailPlace.Order),
            CopiedTable.Digest(file, columns, $"{Trail.Name} WHERE seq <= {rows}", "seq"));
    }

    private (string, long, string) Same(string name, long rows, string there, string here)
    {
        if (there == here) return (name, rows, there);
        Remove();
        throw new StartRefusedException($"{name}: the file has not what {source.Name} has, which was changed since the copy began. " +
            "The unfinished file is removed: run the same again.");
    }

    private void End(Session file, MergedTrail trail, Func<string, AuditEntry> row)
    {
        file.Execute("BEGIN IMMEDIATE");
        using (var state = source.Session.Command("SELECT lineage, mark, restore_time FROM database_state WHERE id = 1").ExecuteReader())
        {
            state.Read();
            var copy = file.Command("UPDATE database_state SET lineage = @lineage, mark = @mark, restore_time = @restored WHERE id = 1");
            copy.Bind("@lineage", state.GetFieldValue<byte[]>(0));
            copy.Bind("@mark", state.GetInt64(1));
            copy.Bind("@restored", state.IsDBNull(2) ? (long?)null : state.GetInt64(2));
            copy.ExecuteNonQuery();
        }

        trail.End(source.Name, row);
        file.Execute("COMMIT");
    }

    private void Verify(Session file, long rows)
    {
        if (new AuditVerification(file, ring).Run(after: null, outside: null, done => progress("new trail checked", done, rows)).Damage is not [var first, ..]) return;
        Remove();
        throw new StartRefusedException($"{path}: row {first.Seq} of its audit trail: {first.What}. The file is removed: run the same again.");
    }

    private long AuditCount() => Trail.Count(source.Session);

    private void Remove()
    {
        foreach (var part in new[] { "", "-wal", "-shm", "-journal" }) File.Delete(path + part);
    }
}
