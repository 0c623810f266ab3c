using System.Runtime.InteropServices;

namespace Mfa.Server.Protection;

/// <summary>A new name in a folder outlives a power cut only once the folder itself is synced; .NET opens no folders.</summary>
internal static partial class FolderSync
{
    private const int ReadOnly = 0;
    private const int InvalidArgument = 22;

    public static void Run(string folder)
    {
        var handle = Open(folder, ReadOnly);
        if (handle < 0) throw Failed(folder);
        try
        {
            // EINVAL: a file system that keeps nothing to sync for a folder.
            if (Sync(handle) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument) throw Failed(folder);
        }
        finally
        {
            _ = Close(handle);
        }
    }

    private static IOException Failed(string folder) => new($"{folder}: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);
}
