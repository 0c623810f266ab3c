using Mfa.Server.Protection;

namespace Mfa.Server;

/// <summary>The first start on a folder makes its key ring and its database. Cut off at any point, it is gone on with by the next.</summary>
internal static class FirstStart
{
    /// <summary>
    /// The key ring until the database that goes with it is there. Only a folder that has it may be given a new database: where
    /// the ring has its own name, one that is missing was lost, and a new one would tell of every account that it is not enabled.
    /// </summary>
    public const string RingFile = "keys.json.first";

    /// <returns>Also whether the folder is not set up yet, by this program or by one that was cut off in it.</returns>
    public static (KeyRing Ring, bool IsFirst) OpenRing(string ringPath, string databasePath, TimeProvider clock)
    {
        var firstPath = Path.Combine(Path.GetDirectoryName(ringPath)!, RingFile);
        var isFirst = File.Exists(firstPath); // looked for first: it may get its own name at any moment, and never loses that
        if (File.Exists(ringPath))
        {
            File.Delete(firstPath);
            return (KeyRingFile.Load(ringPath), false);
        }

        if (isFirst) return (KeyRingFile.Load(firstPath), true);
        if (File.Exists(databasePath))
            throw new StartRefusedException($"{ringPath}: missing, but the database needs it. Restore it from its backup; without it no enrollment opens.");
        var ring = KeyRingFile.Create(firstPath, clock.GetUtcNow());
        if (!File.Exists(ringPath)) return (ring, true);
        File.Delete(firstPath); // another program has set the folder up meanwhile
        return (KeyRingFile.Load(ringPath), false);
    }

    /// <summary>From here on the folder has a database that must not be missing.</summary>
    public static void Complete(string path)
    {
        FolderSync.Flush(path); // the database's name before the ring's
        try
        {
            File.Move(Path.Combine(path, RingFile), Path.Combine(path, DataFolder.RingFile), overwrite: false);
        }
        catch (IOException) when (File.Exists(Path.Combine(path, DataFolder.RingFile)))
        {
            // Another program that started at the same time has done it.
        }

        FolderSync.Flush(path);
    }
}
