using System.Runtime.InteropServices;

namespace Mfa.Server;

/// <summary>
/// Makes the names in a folder durable. Syncing a file saves what is in it; that it exists, and under which name, is saved with
/// its folder (fsync(2)), and .NET opens no folders. SQLite does so for its own files.
/// </summary>
internal static partial class FolderSync
{
    private const int ReadOnly = 0;
    private const int InvalidArgument = 22;

    /// <summary>A folder that this user may not read cannot be synced; then its name is as durable as its maker made it.</summary>
    public static void Flush(string folder)
    {
        var handle = Open(folder, ReadOnly);
        if (handle < 0) return;
        // EINVAL: a file system that keeps nothing to sync for a folder.
        var failed = Sync(handle) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument;
        _ = Close(handle);
        if (failed) throw new IOException($"{folder}: cannot be synced to disk. Is the disk sound?");
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);
}
