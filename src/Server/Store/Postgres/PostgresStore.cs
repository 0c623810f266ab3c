using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Store.Postgres;

/// <summary>
/// Accounts on PostgreSQL, for any number of servers. A verification takes two round trips at most: one that reads what is not in
/// memory, and one that saves the decision, each shared with whoever calls at the same moment.
/// </summary>
internal sealed class PostgresStore : IStore
{
    private const int LeastThreads = 16;

    private readonly PostgresDatabase _database;
    private readonly KeyRing _ring;
    private readonly AccountReads _reads;
    private readonly RecentAccounts _recent;
    // One: with two each group is half as large, and the database has more to do for every row.
    private readonly SaveLane _saves;
    private readonly WorkLane _sends;
    private readonly WorkLane _works;
    private readonly PostgresAuditTrail _trail;
    private readonly TimeNotes _notes;

    /// <param name="database">Belongs to the store from now on.</param>
    /// <param name="ring">Signs the audit trail.</param>
    /// <param name="system">The clock of the machine.</param>
    /// <param name="cacheMebibytes">How much memory it may take to keep accounts in; 0 for none.</param>
    public PostgresStore(PostgresDatabase database, KeyRing ring, TimeProvider system, int cacheMebibytes = 0)
    {
        (_database, _ring) = (database, ring);
        _database.LookForPooler();
        Clock = new SteadyClock(system, Read(ClockRows.Mark));
        _notes = new TimeNotes(database, Clock);
        var signing = new TrailSigning(ring);
        TrailChain NewChain() => new(database, ring, Clock);
        _reads = new AccountReads(database);
        _recent = new RecentAccounts(cacheMebibytes, Clock);
        void Tell(int writes, TimeSpan took) => Committed?.Invoke(writes, took);
        _saves = new SaveLane(database, NewChain(), _recent, Clock, () => Queued?.Invoke(), Tell);
        WorkLane NewWorkLane() => new(database, NewChain(), signing, _recent, Clock, Tell);
        (_sends, _works) = (NewWorkLane(), NewWorkLane());
        _trail = new PostgresAuditTrail(this, _saves, [_sends, _works], ring);
        // Callers' keys are looked up on their threads; the pool adds more than there are cores only slowly. More than there are
        // connections would wait for those.
        ThreadPool.GetMinThreads(out var workers, out var completions);
        ThreadPool.SetMinThreads(Math.Max(workers, LeastThreads), completions);
        _reads.Start();
        _saves.Start();
    }

    public bool IsShared => true;

    public SteadyClock Clock { get; }

    public IAuditTrail Trail => _trail;

    /// <summary>Other servers and operator verbs change keys, too, and nobody tells.</summary>
    public TimeSpan KeyLifetime { get; } = TimeSpan.FromSeconds(1);

    public uint ActiveKeyId => _ring.ActiveId;

    public Action? Queued { get; set; }

    public Action<int, TimeSpan>? Committed { get; set; }

    public async ValueTask<Account> FindAsync(AccountKey key) => (await _reads.FindAsync(key, mark: null, Clock.GetUtcNow())).Account;

    public async ValueTask<(Account Account, RememberedAnswer? Before)> FindAsync(AccountKey key, RequestMark? mark, bool recent)
    {
        var now = Clock.GetUtcNow();
        if (recent && _recent.Find(key) is { } known) return (known, mark is null ? null : await _reads.FindAnswerAsync(mark, now));
        var found = await _reads.FindAsync(key, mark, now);
        if (recent) _recent.Put(found.Account);
        return found;
    }

    public Account Find(AccountKey key) => FindAsync(key).AsTask().GetAwaiter().GetResult();

    public async ValueTask<DeliveryStatus?> FindDeliveryAsync(AccountKey key, Guid id) => await _database.ReadAsync(connection =>
    {
        using var session = new PostgresSession(connection);
        return Task.FromResult(OutboxRows.Find(session, key, id));
    });

    public async ValueTask<RememberedAnswer?> FindAnswerAsync(RequestMark mark) => await _reads.FindAnswerAsync(mark, Clock.GetUtcNow());

    public async Task<T> UpdateAsync<T>(Account loaded, Func<Account, Change<T>> decide, Remember<T>? remember = null)
    {
        var first = decide(loaded);
        if (ReferenceEquals(first.Next, loaded) && remember is null && first.Audit is null) return first.Answer;
        _notes.Note();
        if (!DecisionJob<T>.NeedsWork(first))
        {
            var job = new DecisionJob<T>(loaded, first, decide, remember);
            _saves.Add(job);
            var saved = await job.Done;
            if (!saved.Rerouted) return saved.Answer!;
            loaded = await FindAsync(loaded.Key);
        }

        return await SendAsync(loaded, decide, remember);
    }

    public async Task<T> WriteAsync<T>(Func<Session, T> work)
    {
        _notes.Note();
        try
        {
            return await _works.RunAsync(work);
        }
        catch (LostRaceException lost)
        {
            throw new StoreUnavailableException(lost);
        }
    }

    public bool Save(Session session, Account loaded, Account next)
    {
        if (AccountColumns.SaveOne(((PostgresSession)session).Connection, next) is not { } saved) return false;
        session.Saved.Add(saved);
        return true;
    }

    public Task AuditAsync(AuditEntry entry)
    {
        _notes.Note();
        var job = new AuditJob(entry);
        _saves.Add(job);
        return job.Done;
    }

    public T Read<T>(Func<Session, T> work) => _database.Read(session => work(session));

    /// <summary>Rows that were replaced lie in their tables until a vacuum. The database's own log and its backups are its keeper's.</summary>
    public async Task EmptyLogAsync()
    {
        await using var connection = await _database.OpenAsync();
        using var session = new PostgresSession(connection);
        try
        {
            session.Execute("VACUUM accounts");
            session.Execute("VACUUM users");
            session.Execute("VACUUM outbox");
            session.Execute("VACUUM standing_key");
        }
        catch (Exception broken) when (PostgresErrors.IsOfStore(broken))
        {
            throw new StoreUnavailableException(broken);
        }
    }

    public void Dispose()
    {
        StopAsync().GetAwaiter().GetResult();
        _database.Dispose();
    }

    private async Task<T> SendAsync<T>(Account loaded, Func<Account, Change<T>> decide, Remember<T>? remember)
    {
        for (var losses = 0; ; losses++)
        {
            try
            {
                var current = loaded;
                var answer = await _sends.RunAsync(session => Save(session, current, decide(current), remember));
                Queued?.Invoke();
                return answer;
            }
            catch (LostRaceException) when (losses < SaveJob.MostLosses)
            {
                loaded = await FindAsync(loaded.Key);
            }
        }
    }

    private T Save<T>(PostgresSession session, Account loaded, Change<T> change, Remember<T>? remember)
    {
        var now = Clock.GetUtcNow();
        if (remember is not null && AnswerRows.Find(session, remember.Mark, now) is { } before) return remember.Decode(before);
        if (change.Send is { } asked && LimitRows.FirstHit(session, asked.Limits, now) is { } hit)
        {
            if (change.Audit is { } refused) session.Audit(refused.Refused(AuditReason.SendLimit));
            return asked.Refused(hit);
        }

        var stands = ReferenceEquals(change.Next, loaded) ? AccountColumns.IsCurrent(session.Connection, loaded) : Save(session, loaded, change.Next);
        if (!stands) throw new LostRaceException();
        if (change.Audit is { } entry) session.Audit(entry);
        if (change.Send is { } send) OutboxRows.Queue(session, loaded.Key, send, change.Audit?.By ?? AuditCaller.Server, now);
        if (remember?.Encode(change.Answer) is { } answer && !AnswerRows.Save(session, remember.Mark, answer, now)) throw new LostRaceException();
        return change.Answer;
    }

    private async Task StopAsync()
    {
        await _reads.StopAsync();
        _saves.Stop();
        await _trail.ReleaseAsync();
        _saves.Dispose();
        _sends.Dispose();
        _works.Dispose();
    }
}
