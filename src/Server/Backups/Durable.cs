namespace Mfa.Server.Backups;

/// <summary>Renames that a power cut does not take back.</summary>
internal static class Durable
{
    public static void Move(string from, string to)
    {
        File.Move(from, to, overwrite: false);
        FolderSync.Flush(Path.GetDirectoryName(Path.GetFullPath(to))!);
    }

    public static void SyncFile(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }
}
