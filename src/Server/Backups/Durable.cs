using System.Runtime.InteropServices;

namespace Mfa.Server.Backups;

/// <summary>Renames that a power cut does not take back: a new name is on disk only once its folder was synced.</summary>
internal static partial class Durable
{
    private const int ReadOnlyFolder = 0x10000; // O_RDONLY | O_DIRECTORY

    public static void Move(string from, string to)
    {
        File.Move(from, to, overwrite: false);
        SyncFolder(Path.GetDirectoryName(Path.GetFullPath(to))!);
    }

    public static void SyncFile(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }

    private static void SyncFolder(string folder)
    {
        var handle = Open(folder, ReadOnlyFolder);
        if (handle < 0) throw new IOException($"{folder}: cannot be opened.");
        var failed = Sync(handle) != 0;
        _ = Close(handle);
        if (failed) throw new IOException($"{folder}: cannot be synced.");
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);
}
