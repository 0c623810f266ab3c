using System.Collections.Concurrent;
using Mfa.Server.Domain;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store;

/// <summary>A decision on an account: what to tell, and the account to save before telling it.</summary>
/// <param name="Answer">What the caller gets, once the account is saved.</param>
/// <param name="Next">The account after the decision; the same instance when there is nothing to save.</param>
/// <param name="Send">Messages that are saved in the same transaction; null for none.</param>
internal readonly record struct Change<T>(T Answer, Account Next, Send<T>? Send = null);

/// <summary>Messages that go out because of a decision.</summary>
/// <param name="Limits">Limits that must let them pass, or nothing of the decision is saved. Empty for notices.</param>
/// <param name="Refused">The answer when a limit does not.</param>
/// <param name="Supersedes">A message that is not to be sent any more, because its code is void now; null for none.</param>
internal sealed record Send<T>(
    IReadOnlyList<OutboxMessage> Messages, IReadOnlyList<SendLimit> Limits, Func<SendLimitHit, T> Refused, Guid? Supersedes = null);

/// <summary>Makes the answer of a change repeatable: it is saved in the same transaction.</summary>
/// <param name="Encode">Null for an answer that is not final and must not be repeated.</param>
internal sealed record Remember<T>(RequestMark Mark, Func<T, byte[]?> Encode, Func<RememberedAnswer, T> Decode);

/// <summary>
/// Accounts on SQLite. Readers see committed states only, each on a connection of their own; all writing goes through the one
/// <see cref="GroupWriter"/>.
/// </summary>
internal sealed class SqliteStore : IDisposable
{
    private readonly Database _database;
    private readonly SteadyClock _clock;
    private readonly GroupWriter _writer;
    private readonly ConcurrentBag<Session> _readers = [];

    /// <param name="system">The clock of the machine.</param>
    public SqliteStore(Database database, TimeProvider system)
    {
        _database = database;
        _clock = new SteadyClock(system, Read(ClockRows.Mark));
        _writer = new GroupWriter(database, _clock);
    }

    /// <summary>The time that this database goes by, which is never earlier than what it has seen.</summary>
    public SteadyClock Clock => _clock;

    /// <returns>The account as last saved; one that was never saved comes back empty.</returns>
    public Account Find(AccountKey key) => Read(session => AccountRows.Find(session, key));

    /// <returns>How far a message has got; null once it is forgotten.</returns>
    public DeliveryStatus? FindDelivery(AccountKey key, Guid id) => Read(session => OutboxRows.Find(session, key, id));

    /// <returns>The answer to the same request, if it was answered before and is still remembered.</returns>
    public RememberedAnswer? FindAnswer(RequestMark mark) => Read(session => AnswerRows.Find(session, mark, _clock.GetUtcNow()));

    /// <summary>
    /// Decides on the account as <paramref name="loaded"/> and saves the outcome, durably, before it returns. When somebody
    /// else saved the account meanwhile, decides again on what they saved.
    /// </summary>
    /// <param name="decide">Pure and quick: may run again, and then runs inside the one writer.</param>
    /// <exception cref="StoreUnavailableException">Not saved: no answer may be given.</exception>
    public async Task<T> UpdateAsync<T>(Account loaded, Func<Account, Change<T>> decide, Remember<T>? remember = null)
    {
        var first = decide(loaded);
        if (ReferenceEquals(first.Next, loaded) && remember is null) return first.Answer;
        var answer = await _writer.RunAsync(session => Save(session, loaded, first, decide, remember));
        if (first.Send is not null) Queued?.Invoke();
        return answer;
    }

    /// <summary>Called after messages were saved, so that they need not wait for the next look into the outbox.</summary>
    public Action? Queued { get; set; }

    public Task<T> WriteAsync<T>(Func<Session, T> work) => _writer.RunAsync(work);

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
        if (Refusal(session, change) is { } refused) return refused.Answer;
        if (!SaveIfChanged(session, loaded, change))
        {
            // Lost the race. Nobody else writes while we hold the lock, so the second decision cannot lose another one.
            var fresh = AccountRows.Find(session, loaded.Key);
            change = decide(fresh);
            if (Refusal(session, change) is { } late) return late.Answer;
            if (!SaveIfChanged(session, fresh, change))
                throw new InvalidOperationException("The account changed under the write lock."); // unreachable
        }

        if (change.Send?.Supersedes is { } old) OutboxRows.Withdraw(session, loaded.Key, old, _clock.GetUtcNow());
        foreach (var message in change.Send?.Messages ?? []) OutboxRows.Add(session, message);
        SendCountRows.Count(session, change.Send?.Limits ?? [], _clock.GetUtcNow());
        if (remember?.Encode(change.Answer) is { } answer) AnswerRows.Save(session, remember.Mark, answer);
        return change.Answer;
    }

    private Change<T>? Refusal<T>(Session session, Change<T> change) =>
        change.Send is { } send && SendCountRows.FirstHit(session, send.Limits, _clock.GetUtcNow()) is { } hit
            ? change with { Answer = send.Refused(hit) }
            : null;

    private static bool SaveIfChanged<T>(Session session, Account from, Change<T> change) =>
        ReferenceEquals(change.Next, from) || AccountRows.Save(session, change.Next);
}
