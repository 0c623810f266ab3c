using System.Runtime.InteropServices;
using Mfa.Server.Backups;
using Mfa.Server.Protection;
using Mfa.Server.Rotation;
using Mfa.Server.Store;
using Mfa.Server.Store.Postgres;
using Microsoft.Win32.SafeHandles;

namespace Mfa.Server;

/// <summary>
/// The folder that a server and its operator verbs work on: mfa.db (accounts, callers), keys.json (the key ring) and what a
/// development server adds. Everything in it is readable by its owner alone.
/// </summary>
internal sealed partial class DataFolder : IDisposable
{
    public const string DevKeyFile = "dev.key";

    public const string ServeLock = "serve.lock";

    private const string RingFile = "keys.json";

    /// <summary>
    /// The key ring until the database that goes with it is there. Only a folder that has it may be given a new database: where
    /// the ring has its own name, one that is missing was lost, and a new one would tell of every account that it is not enabled.
    /// </summary>
    private const string FirstRingFile = "keys.json.first";

    private const string RingLock = "keys.lock";

    private readonly SafeFileHandle? _serveLock;

    private DataFolder(string path, string ringPath, KeyRing ring, IStore store, StandingKey standingKey, SafeFileHandle? serveLock) =>
        (Path, RingPath, Ring, Store, StandingKey, _serveLock) = (path, ringPath, ring, store, standingKey, serveLock);

    public string Path { get; }

    /// <summary>The file of the key ring.</summary>
    public string RingPath { get; }

    /// <summary>Where a development server lays down its messages.</summary>
    public string Mailbox => System.IO.Path.Combine(Path, "outbox");

    public KeyRing Ring { get; }

    public StandingKey StandingKey { get; }

    public IStore Store { get; }

    /// <summary>Opens the folder; on the first start creates it, the key ring and the database.</summary>
    /// <param name="alone">
    /// Makes this process the one server of the folder, before it opens anything: a restore must not change the database under
    /// it. Most operator verbs need no such thing.
    /// </param>
    /// <param name="store">Where accounts are kept instead of in the folder, see <see cref="PostgresAddress"/>; empty for in it.</param>
    /// <param name="beginEmpty">Makes a database also for a key ring that had one.</param>
    /// <param name="cacheMebibytes">Memory to keep accounts of the folder in.</param>
    /// <exception cref="StartRefusedException">Something in it must be mended first.</exception>
    public static async Task<DataFolder> OpenAsync(
        string path, TimeProvider clock, bool alone = false, string store = "", bool beginEmpty = false, int cacheMebibytes = 0)
    {
        path = Prepare(path);
        var serveLock = alone ? Lock(path) : null;
        try
        {
            return store.Length > 0 ? await OpenSharedAsync(path, clock, serveLock, store) : await OpenAsync(path, clock, serveLock, beginEmpty, cacheMebibytes);
        }
        catch
        {
            serveLock?.Dispose();
            throw;
        }
    }

    public static string RingPathIn(string path) => System.IO.Path.GetFullPath(System.IO.Path.Combine(path, RingFile));

    /// <summary>Works on a folder that has a key ring but perhaps no database, while nobody serves it.</summary>
    public static T Alone<T>(string path, Func<string, KeyRing, T> work)
    {
        var ringPath = RingPathIn(path);
        if (!File.Exists(ringPath)) throw new StartRefusedException($"{ringPath}: missing. Put the key ring that belongs to the database there first; it is kept apart from it.");
        path = Prepare(path);
        using var alone = Lock(path);
        if (FolderSwitch.IsLeft(path)) FolderSwitch.Finish(path);
        return work(path, KeyRingFile.Load(ringPath));
    }

    /// <summary>Tells whether a server serves the folder at this moment.</summary>
    public bool IsServed()
    {
        var path = System.IO.Path.Combine(Path, ServeLock);
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

    /// <summary>Makes this process the one that works on the ring's keys until the handle is disposed of, or the process dies.</summary>
    public SafeFileHandle LockRing()
    {
        try
        {
            return File.OpenHandle(System.IO.Path.Combine(Path, RingLock), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new StartRefusedException($"{Path}: another mfa-server secrets is at work on this folder. Let it finish, or stop it; both are safe.");
        }
    }

    public void Dispose()
    {
        Store.Dispose();
        _serveLock?.Dispose();
    }

    private static async Task<DataFolder> OpenAsync(string path, TimeProvider clock, SafeFileHandle? serveLock, bool beginEmpty, int cacheMebibytes)
    {
        var ringPath = System.IO.Path.Combine(path, RingFile);
        var databasePath = System.IO.Path.Combine(path, "mfa.db");
        if (FolderSwitch.IsLeft(path)) FinishRestore(path, serveLock);

        var (ring, isFirst) = OpenRing(ringPath, databasePath, clock);
        new Sealer(ring).SelfTest();
        var database = new Database(databasePath);
        if (isFirst || beginEmpty) database.Create(ring);
        else database.Migrate(ring);
        SqliteStore? store = null;
        try
        {
            store = new SqliteStore(database, ring, clock, cacheMebibytes);
            var data = await TieAsync(path, ringPath, ring, store, serveLock);
            if (isFirst) Complete(path);
            return data;
        }
        catch (StoreUnavailableException broken)
        {
            store?.Dispose();
            throw new StartRefusedException($"{databasePath}: {Database.Explain(broken)}");
        }
        catch
        {
            store?.Dispose();
            throw;
        }
    }

    /// <summary>The folder keeps the key ring, which is the same on every server; all else is in a database that they share.</summary>
    private static async Task<DataFolder> OpenSharedAsync(string path, TimeProvider clock, SafeFileHandle? serveLock, string address)
    {
        var ringPath = System.IO.Path.Combine(path, RingFile);
        var database = new PostgresDatabase(address);
        PostgresStore? store = null;
        try
        {
            if (!File.Exists(ringPath) && !database.IsNew())
            {
                throw new StartRefusedException($"{ringPath}: missing, but {database.Name} needs it. Copy it from another server of this database, " +
                    "or restore it from its backup; without it no enrollment opens.");
            }

            var ring = File.Exists(ringPath) ? KeyRingFile.Load(ringPath) : KeyRingFile.Create(ringPath, clock.GetUtcNow());
            new Sealer(ring).SelfTest();
            database.Migrate(ring);
            store = new PostgresStore(database, ring, clock);
            return await TieAsync(path, ringPath, ring, store, serveLock);
        }
        catch (Exception failed)
        {
            store?.Dispose();
            database.Dispose();
            if (failed is StoreUnavailableException broken)
                throw new StartRefusedException($"{database.Name}: {PostgresErrors.Explain(broken.InnerException!)}");
            throw;
        }
    }

    private static async Task<DataFolder> TieAsync(string path, string ringPath, KeyRing ring, IStore store, SafeFileHandle? serveLock)
    {
        await RingCheck.RunAsync(store, ring, ringPath);
        return new DataFolder(path, ringPath, ring, store, await StandingKeyRow.LoadAsync(store, new Sealer(ring)), serveLock);
    }

    private static string Prepare(string path)
    {
        _ = UserMask(0x3F); // octal 077: SQLite would create its files 0644
        path = System.IO.Path.GetFullPath(path);
        CreateFolder(path);
        foreach (var file in new[] { RingFile, FirstRingFile, "mfa.db", ServeLock, RingLock, DevKeyFile }) RefuseStranger(System.IO.Path.Combine(path, file));
        return path;
    }

    /// <summary>A restore got as far as its switch and was cut off in it.</summary>
    private static void FinishRestore(string path, SafeFileHandle? held)
    {
        using var alone = held is null ? Lock(path) : null;
        if (FolderSwitch.IsLeft(path)) FolderSwitch.Finish(path);
    }

    private static SafeFileHandle Lock(string path)
    {
        try
        {
            return File.OpenHandle(System.IO.Path.Combine(path, ServeLock), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new StartRefusedException($"{path}: another mfa-server is serving this folder, or restores or copies it. Stop it first, or choose another --data.");
        }
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

    /// <returns>Also whether the folder is not set up yet, by this program or by one that was cut off in it.</returns>
    private static (KeyRing Ring, bool IsFirst) OpenRing(string ringPath, string databasePath, TimeProvider clock)
    {
        var firstPath = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(ringPath)!, FirstRingFile);
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
    private static void Complete(string path)
    {
        FolderSync.Flush(path); // the database's name before the ring's
        try
        {
            File.Move(System.IO.Path.Combine(path, FirstRingFile), System.IO.Path.Combine(path, RingFile), overwrite: false);
        }
        catch (IOException) when (File.Exists(System.IO.Path.Combine(path, RingFile)))
        {
            // Another program that started at the same time has done it.
        }

        FolderSync.Flush(path);
    }

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint UserMask(uint mask);
}
