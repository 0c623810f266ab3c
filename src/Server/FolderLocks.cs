using Microsoft.Win32.SafeHandles;

namespace Mfa.Server;

/// <summary>
/// Who works alone on a data folder: on all of it, as a server or a restore does, or on the keys of its ring. A lock ends with its
/// handle, and so with its process, however that ends.
/// </summary>
internal static class FolderLocks
{
    public const string ServeFile = "serve.lock";

    public const string RingFile = "keys.lock";

    /// <summary>Makes this process the one that serves the folder, until the handle is disposed of.</summary>
    public static SafeFileHandle TakeServe(string folder) =>
        Take(folder, ServeFile, "another mfa-server is serving this folder, or restores or copies it. Stop it first, or choose another --data.");

    /// <summary>Makes this process the one that works on the ring's keys, until the handle is disposed of.</summary>
    public static SafeFileHandle TakeRing(string folder) =>
        Take(folder, RingFile, "another mfa-server secrets is at work on this folder. Let it finish, or stop it; both are safe.");

    /// <summary>Tells whether a server serves the folder at this moment.</summary>
    public static bool IsServed(string folder)
    {
        var path = Path.Combine(folder, ServeFile);
        if (!File.Exists(path)) return false;
        try
        {
            File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read).Dispose();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static SafeFileHandle Take(string folder, string file, string taken)
    {
        try
        {
            return File.OpenHandle(Path.Combine(folder, file), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new StartRefusedException($"{folder}: {taken}");
        }
    }
}
