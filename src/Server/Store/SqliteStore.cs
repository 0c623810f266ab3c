using System.Collections.Concurrent;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store;

/// <summary>
/// Accounts on SQLite. Readers see committed states only, each on a connection of their own; all writing goes through the one
/// <see cref="GroupWriter"/>.
/// </summary>
internal sealed class SqliteStore : IStore
{
    private readonly Database _database;
    private readonly KeyRing _ring;
    private readonly SteadyClock _clock;
    private readonly AccountCache _cache;
    private readonly GroupWriter _writer;
    private readonly ConcurrentBag<Session> _readers = [];

    /// <param name="ring">Signs the audit trail.</param>
    /// <param name="system">The clock of the machine.</param>
    /// <param name="cacheMebibytes">How much memory it may take to keep accounts in; 0 for none.</param>
    public SqliteStore(Database database, KeyRing ring, TimeProvider system, int cacheMebibytes = 0)
    {
        (_database, _ring) = (database, ring);
        _clock = new SteadyClock(system, Read(ClockRows.Mark));
        _cache = new AccountCache(cacheMebibytes);
        _writer = new GroupWriter(database, ring, _clock, _cache);
        Trail = new SqliteAuditTrail(this, ring);
    }

    public bool IsShared => false;

    public SteadyClock Clock => _clock;

    public IAuditTrail Trail { get; }

    /// <summary>Less than a verb that revokes a key takes to end after its commit: it takes effect at the next call.</summary>
    public TimeSpan KeyLifetime { get; } = TimeSpan.FromMilliseconds(1);

    public Account Find(AccountKey key) => Read(session => AccountRows.Find(session, key));

    public ValueTask<Account> FindAsync(AccountKey key) => new(Find(key));

    public ValueTask<(Account Account, RememberedAnswer? Before)> FindAsync(AccountKey key, RequestMark? mark, bool recent)
    {
        var before = mark is null ? null : Read(session => AnswerRows.Find(session, mark, _clock.GetUtcNow()));
        return new((recent ? FindRecent(key) : Find(key), before));
    }

    public ValueTask<DeliveryStatus?> FindDeliveryAsync(AccountKey key, Guid id) => new(Read(session => OutboxRows.Find(session, key, id)));

    public ValueTask<RememberedAnswer?> FindAnswerAsync(RequestMark mark) =>
        new(Read(session => AnswerRows.Find(session, mark, _clock.GetUtcNow())));

    public async Task<T> UpdateAsync<T>(Account loaded, Func<Account, Change<T>> decide, Remember<T>? remember = null)
    {
        var first = decide(loaded);
        if (ReferenceEquals(first.Next, loaded) && remember is null && first.Audit is null) return first.Answer;
        var answer = await _writer.RunAsync(session => Save(session, loaded, first, decide, remember), brief: true);
        if (first.Send is not null) Queued?.Invoke();
        return answer;
    }

    public uint ActiveKeyId => _ring.ActiveId;

    public Action? Queued { get; set; }

    /// <summary>Told of every commit: how many callers' writes it made durable, and how long that took.</summary>
    public Action<int, TimeSpan>? Committed
    {
        get => _writer.Committed;
        set => _writer.Committed = value;
    }

    public Task<T> WriteAsync<T>(Func<Session, T> work) => _writer.RunAsync(work);

    public bool Save(Session session, Account loaded, Account next)
    {
        if (AccountRows.Save(session, loaded, next) is not { } saved) return false;
        session.Saved.Add(saved);
        return true;
    }

    public Task AuditAsync(AuditEntry entry) => _writer.RunAsync(session =>
    {
        session.Audit(entry);
        return true;
    }, brief: true);

    /// <summary>
    /// Reads on the caller's thread: a read waits for no lock under WAL, and takes microseconds while the pages are in memory.
    /// </summary>
    public T Read<T>(Func<Session, T> work)
    {
        Session? session = null;
        try
        {
            if (!_readers.TryTake(out session)) session = new Session(_database.Open());
            var result = work(session);
            _readers.Add(session);
            session = null;
            return result;
        }
        catch (SqliteException broken)
        {
            throw new StoreUnavailableException(broken);
        }
        finally
        {
            session?.Dispose(); // its work failed: nobody else shall meet what it left
        }
    }

    /// <summary>Moves the whole write-ahead log into the database and empties it, without ever holding writers up for long.</summary>
    /// <exception cref="StoreUnavailableException">Somebody reads an old state for as long as half a minute.</exception>
    public async Task EmptyLogAsync()
    {
        const int Attempts = 300;
        using var session = new Session(_database.Open());
        session.Execute("PRAGMA busy_timeout = 100"); // while it waits for readers it keeps writers out
        for (var attempt = 1; ; attempt++)
        {
            session.Execute("PRAGMA wal_checkpoint(PASSIVE)"); // the bulk of it, beside writers
            try
            {
                if (session.Command("PRAGMA wal_checkpoint(TRUNCATE)").ExecuteScalar() is 0L) return;
                if (attempt == Attempts) throw new StoreUnavailableException(new TimeoutException());
            }
            catch (SqliteException busy) when (busy.SqliteErrorCode is SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED)
            {
                if (attempt == Attempts) throw new StoreUnavailableException(busy);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    public void Dispose()
    {
        _writer.Dispose();
        while (_readers.TryTake(out var reader)) reader.Dispose();
    }

    private T Save<T>(Session session, Account loaded, Change<T> first, Func<Account, Change<T>> decide, Remember<T>? remember)
    {
        if (remember is not null && AnswerRows.Find(session, remember.Mark, _clock.GetUtcNow()) is { } before)
            return remember.Decode(before);

        var change = first;
        if (Refused(session, ref change)) return change.Answer;
        if (!SaveIfChanged(session, loaded, change))
        {
            // Lost the race, or decided on what was in memory and is no more. Nobody else writes while we hold the lock, so the second
            // decision loses only where the database itself keeps the row from being saved.
            _cache.Remove(loaded.Key);
            var fresh = AccountRows.Find(session, loaded.Key);
            change = decide(fresh);
            if (Refused(session, ref change)) return change.Answer;
            if (!SaveIfChanged(session, fresh, change)) throw new LostRaceException();
        }

        if (change.Audit is { } entry) session.Audit(entry);
        if (change.Send is { } send) OutboxRows.Queue(session, loaded.Key, send, change.Audit?.By ?? AuditCaller.Server, _clock.GetUtcNow());
        if (remember?.Encode(change.Answer) is { } answer) AnswerRows.Save(session, remember.Mark, answer, _clock.GetUtcNow());
        return change.Answer;
    }

    private bool Refused<T>(Session session, ref Change<T> change)
    {
        if (change.Send is not { } send || SendCountRows.FirstHit(session, send.Limits, _clock.GetUtcNow()) is not { } hit) return false;
        change = change with { Answer = send.Refused(hit) };
        if (change.Audit is { } entry) session.Audit(entry.Refused(AuditReason.SendLimit));
        return true;
    }

    /// <returns>Whether it was decided on the account as it is.</returns>
    private bool SaveIfChanged<T>(Session session, Account from, Change<T> change) =>
        ReferenceEquals(change.Next, from) ? AccountRows.IsCurrent(session, from) : Save(session, from, change.Next);

    private Account FindRecent(AccountKey key)
    {
        if (_cache.Find(key) is { } known) return known;
        var account = Find(key);
        _cache.Put(account);
        return account;
    }
}
