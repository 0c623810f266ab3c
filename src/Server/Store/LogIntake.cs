using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store;

/// <summary>
/// Moves the write-ahead log into the database. The bulk is moved on a thread of its own while the writer goes on, because that takes
/// many times as long as a commit; the rest, what came meanwhile, by the writer, since the log can begin anew only when all of it is
/// moved and nobody writes.
/// </summary>
internal sealed class LogIntake : IDisposable
{
    /// <summary>16 MB: pages that were written several times by then are moved once.</summary>
    private const int Pages = 4000;

    private const string Move = "PRAGMA wal_checkpoint(PASSIVE)";

    private readonly Session _session;
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Thread _thread;
    private volatile Phase _phase;
    private volatile bool _ending;
    private int _written;

    public LogIntake(Database database)
    {
        _session = new Session(database.Open());
        _thread = new Thread(Run) { IsBackground = true, Name = "log intake" };
        _thread.Start();
    }

    private enum Phase
    {
        Idle,
        MovingBulk,
        BulkMoved,
    }

    /// <summary>For the writer, after each commit.</summary>
    /// <param name="pages">How many pages it added to the log.</param>
    public void Committed(Session writer, int pages)
    {
        _written += pages;
        if (_phase == Phase.BulkMoved)
        {
            Try(writer);
            (_written, _phase) = (0, Phase.Idle);
        }
        else if (_phase == Phase.Idle && _written >= Pages)
        {
            _phase = Phase.MovingBulk;
            _wake.Set();
        }
    }

    public void Dispose()
    {
        if (_ending) return;
        _ending = true;
        _wake.Set();
        _thread.Join();
        _session.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        while (_wake.WaitOne() && !_ending)
        {
            Try(_session);
            _phase = Phase.BulkMoved;
        }
    }

    private static void Try(Session session)
    {
        try
        {
            session.Execute(Move);
        }
        catch (SqliteException)
        {
            // What is in the log is durable there. A disk that takes no more tells the writer so at its next commit.
        }
    }
}
