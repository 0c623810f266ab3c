using System.Threading.Channels;
using Mfa.Server.Protection;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Mfa.Server.Store;

/// <summary>
/// The one writer. Work that arrives while a commit is being synced is done together in the next transaction, so that many
/// callers share the price of one sync; each is answered only after the commit that holds its work. A caller who is alone commits on
/// its own thread: to wake another one and be woken by it takes as long as the commit.
/// </summary>
internal sealed class GroupWriter : IDisposable
{
    /// <summary>Bounds how long the first caller of a group waits for the last one's work: about 5 ms at 20 µs each.</summary>
    private const int MaxGroup = 256;

    /// <summary>So many commits of one caller in a row, and callers are taken to come one at a time.</summary>
    private const int Quiet = 8;

    /// <summary>How far the saved mark of time may be behind the last commit: well within what the clock is allowed to be off.</summary>
    private static readonly TimeSpan MarkEvery = TimeSpan.FromMilliseconds(500);

    private readonly Channel<Job> _queue = Channel.CreateUnbounded<Job>(new UnboundedChannelOptions { SingleReader = true });
    private readonly AuditTrail _trail;
    private readonly SqliteConnection _connection;
    private readonly Session _session;
    private readonly LogIntake _log;
    private readonly SteadyClock _clock;
    private readonly AccountCache _cache;
    private readonly Thread _thread;

    /// <summary>Held by whoever commits.</summary>
    private readonly Lock _turn = new();

    /// <summary>How many commits in a row held one caller's work: a few happen under load, too, where only groups go fast.</summary>
    private volatile int _single = Quiet;

    private bool _ended;
    private DateTimeOffset _marked;

    /// <summary>Told of every commit: how many jobs it made durable, and how long that took.</summary>
    public Action<int, TimeSpan>? Committed { get; set; }

    public GroupWriter(Database database, KeyRing ring, SteadyClock clock, AccountCache cache)
    {
        _trail = new AuditTrail(ring);
        _connection = database.Open();
        _session = new Session(_connection, _trail);
        _session.Execute("PRAGMA wal_autocheckpoint = 0"); // the log intake's work
        _log = new LogIntake(database);
        (_clock, _cache) = (clock, cache);
        _thread = new Thread(Run) { IsBackground = true, Name = "store writer" };
        _thread.Start();
    }

    /// <summary>
    /// Runs work inside the next transaction and completes once it is durable. Work may run twice, when others in its group
    /// failed, so it must have no effect but on the database. Once handed in it cannot be cancelled: a guess counts.
    /// </summary>
    /// <param name="brief">Whether it takes microseconds, so that the caller's own thread may do it.</param>
    /// <exception cref="StoreUnavailableException">It could not be saved.</exception>
    public Task<T> RunAsync<T>(Func<Session, T> work, bool brief = false)
    {
        var job = new Job<T>(work);
        if ((!brief || !CommittedHere(job)) && !_queue.Writer.TryWrite(job))
            throw new StoreUnavailableException(new ObjectDisposedException(nameof(GroupWriter)));
        return job.Done;
    }

    /// <summary>Finishes what was handed in.</summary>
    public void Dispose()
    {
        _queue.Writer.TryComplete();
        _thread.Join();
        lock (_turn)
        {
            _ended = true;
            _log.Dispose();
            _session.Dispose();
        }
    }

    private bool CommittedHere(Job job)
    {
        if (_single < Quiet || !_turn.TryEnter()) return false;
        try
        {
            if (_ended || _queue.Reader.TryPeek(out _)) return false; // whoever came before goes first
            Commit([job]);
            job.Tell();
            LookAfterLog();
            return true;
        }
        finally
        {
            _turn.Exit();
        }
    }

    private void Run()
    {
        var group = new List<Job>(MaxGroup);
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            lock (_turn)
            {
                group.Clear();
                while (group.Count < MaxGroup && _queue.Reader.TryRead(out var job)) group.Add(job);
                Commit(group);
                Batches.Run(group, static job => job.Tell());
                LookAfterLog();
            }
        }
    }

    private void Commit(List<Job> group)
    {
        var began = _clock.GetTimestamp();
        _single = group.Count == 1 ? Math.Min(_single + 1, Quiet) : 0;
        try
        {
            _session.Execute("BEGIN IMMEDIATE");
        }
        catch (SqliteException locked)
        {
            foreach (var job in group) job.Fail(new StoreUnavailableException(locked));
            return;
        }

        try
        {
            foreach (var job in group) job.Work(_session);
            _trail.Save(_session);
            var marked = NoteTime();
            _session.Execute("COMMIT");
            _trail.Committed();
            _marked = marked;
        }
        catch (Exception broken)
        {
            RollBack();
            if (group.Count == 1) group[0].Fail(broken is SqliteException ? new StoreUnavailableException(broken) : broken);
            else foreach (var job in group) Commit([job]); // one job's failure is not the others': each gets a transaction of its own
            return;
        }

        foreach (var account in _session.Saved) _cache.Put(account);
        _session.Saved.Clear();
        Committed?.Invoke(group.Count, _clock.GetElapsedTime(began));
    }

    private void LookAfterLog()
    {
        _ = raw.sqlite3_db_status(_connection.Handle, raw.SQLITE_DBSTATUS_CACHE_WRITE, out var pages, out _, resetFlg: 1);
        _log.Committed(_session, pages);
    }

    private DateTimeOffset NoteTime()
    {
        var now = _clock.GetUtcNow();
        var system = _clock.SystemTimeAt(now);
        if (now - _marked < MarkEvery && now - system <= SteadyClock.Tolerance) return _marked;
        ClockRows.Note(_session, now, system);
        return now;
    }

    private void RollBack()
    {
        _trail.RolledBack();
        _session.Saved.Clear();
        try
        {
            _session.Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // SQLite rolls back by itself on a full disk and on I/O errors; there is nothing left to undo then.
        }
    }

    private abstract class Job
    {
        public abstract void Work(Session session);

        public abstract void Fail(Exception why);

        public abstract void Tell();
    }

    private sealed class Job<T>(Func<Session, T> work) : Job
    {
        private readonly TaskCompletionSource<T> _done = new();
        private T? _result;
        private Exception? _failure;

        public Task<T> Done => _done.Task;

        public override void Work(Session session) => _result = work(session);

        public override void Fail(Exception why) => _failure = why;

        public override void Tell()
        {
            if (_failure is null) _done.SetResult(_result!);
            else _done.SetException(_failure);
        }
    }
}
