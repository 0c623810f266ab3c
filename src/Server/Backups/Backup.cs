using Mfa.Server.Protection;
using Mfa.Server.Store;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Backups;

/// <summary>Makes a backup beside whatever else works on the database. The file appears whole, checked and synced, or not at all.</summary>
internal static class Backup
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <exception cref="StartRefusedException">It cannot be made; nothing is left behind.</exception>
    public static BackupManifest Make(Database database, KeyRing ring, string path, DateTimeOffset now, Progress progress)
    {
        if (Path.Exists(path)) throw new StartRefusedException($"{path}: there is such a file already. Choose another name.");
        var partial = $"{path}.partial";
        using var file = Begin(partial);
        try
        {
            var manifest = Fill(database, ring, file, now, progress);
            BackupFile.Seal(file, manifest, ring);
            BackupFile.Read(file, to: null, ring, progress); // as the disk gives it back, from its first byte to its last
            Durable.Move(partial, path);
            return manifest;
        }
        catch (SqliteException broken)
        {
            throw new StartRefusedException($"{path}: {Database.Explain(broken)}");
        }
        catch (IOException broken)
        {
            throw new StartRefusedException($"{path}: {broken.Message}");
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static FileStream Begin(string partial)
    {
        try
        {
            return new FileStream(partial, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0, // SQLite writes to the same file
                UnixCreateMode = OwnerOnly,
            });
        }
        catch (IOException) when (File.Exists(partial))
        {
            throw new StartRefusedException($"{partial}: another backup is writing it, or one was cut off. When none runs, remove it.");
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            throw new StartRefusedException($"{partial}: cannot be created. Check the folder, its owner and its mode.");
        }
    }

    private static BackupManifest Fill(Database database, KeyRing ring, FileStream file, DateTimeOffset now, Progress progress)
    {
        var rows = DatabaseCopy.Take(database, file.Name, (done, all) => progress.Report("copying", done, all));
        using var copy = new Session(DatabaseCopy.OpenAlone(file.Name));
        // Codes on their way are dead before any restore: a thief of the backup need not have them either.
        copy.Execute(RestoredRows.VoidWhatIsOpen);
        if (!DatabaseCopy.IsWhole(copy)) throw new StartRefusedException($"{database.Path}: the database is damaged. Restore it from an earlier backup.");
        if (DatabaseCopy.Count(copy) != rows) throw new StartRefusedException($"{file.Name}: the copy has not as many rows as the database.");
        return new BackupManifest($"{ring.ActiveId:x8}", Migrations.All.Count, now, rows);
    }
}
