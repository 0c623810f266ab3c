using System.Runtime.InteropServices;

namespace Mfa.Server;

/// <summary>Makes a data folder one that this user alone can read, and that is written to nowhere else.</summary>
internal static partial class FolderAccess
{
    private static readonly string[] Files =
        [DataFolder.RingFile, FirstStart.RingFile, "mfa.db", FolderLocks.ServeFile, FolderLocks.RingFile, DataFolder.DevKeyFile];

    /// <returns>Its full path.</returns>
    /// <exception cref="StartRefusedException">It cannot be written, or something strange stands in it.</exception>
    public static string Prepare(string path)
    {
        _ = UserMask(0x3F); // octal 077: SQLite would create its files 0644
        path = Path.GetFullPath(path);
        CreateFolder(path);
        foreach (var file in Files) RefuseStranger(Path.Combine(path, file));
        return path;
    }

    private static void CreateFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            // An existing folder may be of another user or on a read-only disk: better known now than at the first write.
            var probe = Path.Combine(path, $".probe-{Environment.ProcessId}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            FolderSync.Flush(Path.GetDirectoryName(path) ?? path); // or a power cut takes the new folder with all in it
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            throw new StartRefusedException($"{path}: this user cannot write to the data folder. Check its owner and mode, or choose another --data.");
        }
    }

    /// <summary>A folder, or a link to nowhere, in a file's place is somebody's mistake, and not to be written through.</summary>
    private static void RefuseStranger(string file)
    {
        var link = new FileInfo(file);
        if (Directory.Exists(file) || (link.LinkTarget is not null && link.ResolveLinkTarget(returnFinalTarget: true)?.Exists != true))
            throw new StartRefusedException($"{file}: a folder, or a link to nowhere, stands where a file belongs. Remove it.");
    }

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint UserMask(uint mask);
}
