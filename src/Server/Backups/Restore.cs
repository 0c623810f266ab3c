using System.Globalization;
using Mfa.Server.Callers;
using Mfa.Server.Protection;
using Mfa.Server.Store;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Backups;

/// <param name="Replace">Puts the backup in the place of a database that is there.</param>
/// <param name="IgnoreReplaced">Takes nothing over from that one.</param>
/// <param name="KeepRecoveryCodes">Accepts recovery codes that may have been used after the backup.</param>
/// <param name="RevokeKeys">Revokes every API key.</param>
internal sealed record RestoreOptions(bool Replace, bool IgnoreReplaced, bool KeepRecoveryCodes, bool RevokeKeys);

/// <param name="Aside">Where the old database is kept; null when there was none.</param>
/// <param name="CarriedOver">What was taken over from it; null for nothing.</param>
/// <param name="NothingBecause">Why nothing was taken over; null when something was, or there was nothing to take from.</param>
/// <param name="StaleAccounts">Accounts whose recovery codes are doubtful.</param>
internal sealed record RestoreReport(
    BackupManifest Backup, string? Aside, CarriedOver? CarriedOver, string? NothingBecause, int StaleAccounts, int RevokedKeys,
    IReadOnlyList<string> KeysInForce);

/// <summary>
/// Puts a backup into a data folder that nobody serves. The database is prepared beside the old one, checked, and rid of what
/// must not come back; then the two change places. A crash at any moment leaves the old or the new one, never a mixture.
/// </summary>
internal sealed class Restore(string folder, KeyRing ring, RestoreOptions options, DateTimeOffset now, Progress progress)
{
    private readonly string _prepared = FolderSwitch.PreparedPath(folder);

    /// <summary>Only for the holder of the folder's lock.</summary>
    /// <exception cref="StartRefusedException">It cannot be restored; the folder is as it was.</exception>
    public RestoreReport Run(string path)
    {
        var live = FolderSwitch.LivePath(folder);
        if (File.Exists(live) && !options.Replace)
            throw new StartRefusedException($"{live}: there is a database already. With --replace the backup takes its place, and it is kept beside.");

        FolderSwitch.Clear(folder);
        try
        {
            var backup = Extract(path);
            new Database(_prepared).Migrate(ring);
            var report = Prepare(backup, File.Exists(live) ? live : null);
            FolderSwitch.Commit(folder);
            return report with { Aside = FolderSwitch.Finish(folder) };
        }
        catch (SqliteException broken)
        {
            throw new StartRefusedException($"{_prepared}: {Database.Explain(broken)}");
        }
        catch (IOException broken)
        {
            throw new StartRefusedException($"{folder}: {broken.Message}");
        }
        finally
        {
            FolderSwitch.Clear(folder);
        }
    }

    private BackupManifest Extract(string path)
    {
        using var file = OpenBackup(path);
        using var to = new FileStream(_prepared, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        return BackupFile.Read(file, to, ring, progress);
    }

    private static FileStream OpenBackup(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"{path}: this user cannot read such a file.");
        }
    }

    private RestoreReport Prepare(BackupManifest backup, string? live)
    {
        using var replaced = live is null ? null : ReplacedDatabase.Hold(live, ring);
        var trail = new AuditTrail(ring);
        using var session = new Session(DatabaseCopy.OpenAlone(_prepared), trail);
        Check(session, backup);
        var nothing = live is null ? null : WhyNothingIsTakenOver(session, live, replaced!);
        session.Execute("BEGIN"); // an immediate one would lock the attached database as well
        var carried = live is null || nothing is not null ? null : CarryOver.Run(session, options.KeepRecoveryCodes);
        // A code may have been accepted up to the latest time that is known, whatever this machine's clock says.
        var latest = ClockRows.Mark(session) is var mark && mark > now ? mark : now;
        session.Execute(RestoredRows.VoidWhatIsOpen);
        RestoredRows.UseUpTimeSteps(session, latest);
        var stale = carried?.OnAgain ?? RestoredRows.MarkRecoveryCodes(session, options.KeepRecoveryCodes);
        var revoked = options.RevokeKeys ? RestoredRows.RevokeKeys(session, now) : 0;
        RestoredRows.NoteRestore(session, now);
        session.Audit(Operator.Did(InWords(backup, carried), now));
        trail.Save(session);
        session.Execute("COMMIT");
        var report = new RestoreReport(backup, Aside: null, carried, nothing, stale, revoked, RestoredRows.KeysInForce(session));
        session.Dispose();
        Durable.SyncFile(_prepared);
        return report;
    }

    private static string InWords(BackupManifest backup, CarriedOver? carried)
    {
        var trail = carried is null ? "this trail goes on from there" : "accounts and this trail go on from the replaced database";
        return string.Create(CultureInfo.InvariantCulture, $"restore of the backup of {backup.CreateTime:u}; {trail}");
    }

    /// <summary>The MAC says that the backup is ours and unaltered; this, that a server will start on it.</summary>
    private void Check(Session session, BackupManifest backup)
    {
        if (!DatabaseCopy.IsWhole(session)) throw new StartRefusedException("The backup is damaged inside. Use another one.");
        if (DatabaseCopy.Count(session) != backup.Rows) throw new StartRefusedException("The backup has not as many rows as it says. Use another one.");
        using var row = session.Command("SELECT id, check_value FROM ring_keys").ExecuteReader();
        while (row.Read())
        {
            var id = (uint)row.GetInt64(0);
            if (!ring.Contains(id) || !ring.CheckValue(id).AsSpan().SequenceEqual(row.GetFieldValue<byte[]>(1)))
                throw new StartRefusedException($"The backup needs key {id:x8}, which the key ring of the data folder lacks. Put the key ring of its time back.");
        }
    }

    private string? WhyNothingIsTakenOver(Session session, string live, ReplacedDatabase replaced)
    {
        if (options.IgnoreReplaced) return "as you asked";
        if (replaced.Unreadable is { } unreadable) return unreadable;
        var attach = session.Command("ATTACH DATABASE @path AS old");
        attach.Bind("@path", live);
        attach.ExecuteNonQuery();
        var later = session.Command("""
            SELECT o.lineage = b.lineage AND o.mark >= b.mark FROM main.database_state b, old.database_state o
            """).ExecuteScalar() is 1L;
        return later ? null : "it is not a later state of what was backed up";
    }
}
