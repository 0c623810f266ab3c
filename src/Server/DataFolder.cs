using System.Runtime.InteropServices;
using Mfa.Server.Protection;
using Mfa.Server.Store;
using Microsoft.Win32.SafeHandles;

namespace Mfa.Server;

/// <summary>
/// The folder that a server and its operator verbs work on: mfa.db (accounts, callers), keys.json (the key ring) and what a
/// development server adds. Everything in it is readable by its owner alone.
/// </summary>
internal sealed partial class DataFolder : IDisposable
{
    public const string DevKeyFile = "dev.key";

    private const string ServeLock = "serve.lock";

    private SafeFileHandle? _serveLock;

    private DataFolder(string path, KeyRing ring, SqliteStore store) => (Path, Ring, Store) = (path, ring, store);

    public string Path { get; }

    public KeyRing Ring { get; }

    public SqliteStore Store { get; }

    /// <summary>Opens the folder; on the first start creates it, the key ring and the database.</summary>
    /// <exception cref="StartRefusedException">Something in it must be mended first.</exception>
    public static async Task<DataFolder> OpenAsync(string path, TimeProvider clock)
    {
        _ = UserMask(0x3F); // octal 077: SQLite would create its files 0644
        path = System.IO.Path.GetFullPath(path);
        CreateFolder(path);
        var ringPath = System.IO.Path.Combine(path, "keys.json");
        var databasePath = System.IO.Path.Combine(path, "mfa.db");
        foreach (var file in new[] { ringPath, databasePath, System.IO.Path.Combine(path, ServeLock), System.IO.Path.Combine(path, DevKeyFile) })
            RefuseStranger(file);

        var ring = OpenRing(ringPath, databasePath, clock);
        new Sealer(ring).SelfTest();
        var database = new Database(databasePath);
        database.Migrate();
        var store = new SqliteStore(database, clock);
        try
        {
            await RingCheck.RunAsync(store, ring, ringPath);
            return new DataFolder(path, ring, store);
        }
        catch (StoreUnavailableException broken)
        {
            store.Dispose();
            throw new StartRefusedException($"{databasePath}: {Database.Explain(broken)}");
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Makes this process the one server of the folder; the operator verbs need no such thing.</summary>
    public void LockForServing()
    {
        try
        {
            _serveLock = File.OpenHandle(System.IO.Path.Combine(Path, ServeLock), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new StartRefusedException($"{Path}: another mfa-server is serving this folder. Stop it first, or choose another --data.");
        }
    }

    public void Dispose()
    {
        Store.Dispose();
        _serveLock?.Dispose();
    }

    private static void CreateFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            // An existing folder may be of another user or on a read-only disk: better known now than at the first write.
            var probe = System.IO.Path.Combine(path, $".probe-{Environment.ProcessId}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            FolderSync.Flush(System.IO.Path.GetDirectoryName(path) ?? path); // or a power cut takes the new folder with all in it
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

    private static KeyRing OpenRing(string ringPath, string databasePath, TimeProvider clock)
    {
        if (File.Exists(ringPath)) return KeyRingFile.Load(ringPath);
        if (File.Exists(databasePath))
            throw new StartRefusedException($"{ringPath}: missing, but the database needs it. Restore it from its backup; without it no enrollment opens.");
        return KeyRingFile.Create(ringPath, clock.GetUtcNow());
    }

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint UserMask(uint mask);
}
