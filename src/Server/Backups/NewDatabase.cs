namespace Mfa.Server.Backups;

/// <summary>
/// The database that a copy makes in a folder that has none: under a name that nobody serves, until all of it is there. A folder
/// with a key ring and without a database is not started on meanwhile.
/// </summary>
internal static class NewDatabase
{
    public static string PathIn(string folder) => $"{FolderSwitch.LivePath(folder)}.copying";

    /// <exception cref="StartRefusedException">The folder has a database, or what is left of one.</exception>
    public static void RefuseOther(string folder)
    {
        var live = FolderSwitch.LivePath(folder);
        if (Directory.GetFiles(folder, $"{Path.GetFileName(live)}*").FirstOrDefault(file => file == live || file.StartsWith($"{live}-", StringComparison.Ordinal)) is { } other)
            throw new StartRefusedException($"{other}: there is a database already. Copy into a new folder, with the key ring in it, or move that database away first.");
    }

    /// <summary>Before anything relies on it.</summary>
    public static void Sync(string folder) => Durable.SyncFile(PathIn(folder));

    /// <summary>From here on the folder has it.</summary>
    public static void Finish(string folder) => Durable.Move(PathIn(folder), FolderSwitch.LivePath(folder));
}
