using System.Globalization;

namespace Mfa.Server.Backups;

/// <summary>
/// Puts a restored database in the place of the old one. It is prepared under one name; giving it the next is the moment from
/// which it counts. Whoever opens the folder after a crash finishes what is left: the old files go aside, the new one moves in.
/// A write-ahead log of the old database must never lie beside the new one, because SQLite would play it into it.
/// </summary>
internal static class FolderSwitch
{
    private const string Live = "mfa.db";

    private static readonly string[] Parts = ["-wal", "-shm", "-journal", ""]; // the database itself last

    public static string LivePath(string folder) => Path.Combine(folder, Live);

    /// <summary>Where a restore works. Nobody else looks at it.</summary>
    public static string PreparedPath(string folder) => Path.Combine(folder, $"{Live}.restoring");

    public static bool IsLeft(string folder) => File.Exists(RestoredPath(folder));

    /// <summary>Removes what a restore that never got to its switch left behind.</summary>
    public static void Clear(string folder)
    {
        foreach (var part in Parts) File.Delete(PreparedPath(folder) + part);
    }

    /// <summary>From here on the folder holds the restored database.</summary>
    public static void Commit(string folder) => Durable.Move(PreparedPath(folder), RestoredPath(folder));

    /// <summary>Only for the holder of the folder's lock.</summary>
    /// <returns>Where the old database is kept; null when there was none.</returns>
    public static string? Finish(string folder)
    {
        // Named after the restored file, which does not change: what a crash cut in two ends up under one name.
        var time = File.GetLastWriteTimeUtc(RestoredPath(folder)).ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var aside = $"{LivePath(folder)}.before-restore-{time}";
        foreach (var part in Parts.Where(part => File.Exists(LivePath(folder) + part))) Durable.Move(LivePath(folder) + part, aside + part);
        Durable.Move(RestoredPath(folder), LivePath(folder));
        return File.Exists(aside) ? aside : null;
    }

    private static string RestoredPath(string folder) => Path.Combine(folder, $"{Live}.restored");
}
