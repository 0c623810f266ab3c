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
internal sealed class DataFolder : IDisposable
{
    public const string DevKeyFile = "dev.key";

    public const string RingFile = "keys.json";

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
        path = FolderAccess.Prepare(path);
        var serveLock = alone ? FolderLocks.TakeServe(path) : null;
        try
        {
            return store.Length > 0
                ? await OpenSharedAsync(path, clock, serveLock, store, cacheMebibytes)
                : await OpenAsync(path, clock, serveLock, beginEmpty, cacheMebibytes);
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
        path = FolderAccess.Prepare(path);
        using var alone = FolderLocks.TakeServe(path);
        if (FolderSwitch.IsLeft(path)) FolderSwitch.Finish(path);
        return work(path, KeyRingFile.Load(ringPath));
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

        var (ring, isFirst) = FirstStart.OpenRing(ringPath, databasePath, clock);
        new Sealer(ring).SelfTest();
        var database = new Database(databasePath);
        if (isFirst || beginEmpty) database.Create(ring);
        else database.Migrate(ring);
        SqliteStore? store = null;
        try
        {
            store = new SqliteStore(database, ring, clock, cacheMebibytes);
            var data = await TieAsync(path, ringPath, ring, store, serveLock);
            if (isFirst) FirstStart.Complete(path);
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
    private static async Task<DataFolder> OpenSharedAsync(string path, TimeProvider clock, SafeFileHandle? serveLock, string address, int cacheMebibytes)
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
            store = new PostgresStore(database, ring, clock, cacheMebibytes);
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

    /// <summary>A restore got as far as its switch and was cut off in it.</summary>
    private static void FinishRestore(string path, SafeFileHandle? held)
    {
        using var alone = held is null ? FolderLocks.TakeServe(path) : null;
        if (FolderSwitch.IsLeft(path)) FolderSwitch.Finish(path);
    }
}
