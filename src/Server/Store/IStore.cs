using Mfa.Server.Domain;

namespace Mfa.Server.Store;

/// <summary>A decision on an account: what to tell, and the account to save before telling it.</summary>
/// <param name="Answer">What the caller gets, once the account is saved.</param>
/// <param name="Next">The account after the decision; the same instance when there is nothing to save.</param>
/// <param name="Audit">What the trail says about it, in the same transaction; null for a decision that is to be made again.</param>
/// <param name="Send">Messages that are saved in the same transaction; null for none.</param>
internal readonly record struct Change<T>(T Answer, Account Next, AuditEntry? Audit, Send<T>? Send = null);

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
/// Where accounts and all that belongs to them are kept: a file of this server's own, or a database that several servers share.
/// Whatever is answered was saved durably before, and of any number of decisions on one state of an account one is saved.
/// </summary>
internal interface IStore : IDisposable
{
    /// <summary>Whether other servers work on the same database.</summary>
    bool IsShared { get; }

    /// <summary>The time that this database goes by, which is never earlier than what it has seen.</summary>
    SteadyClock Clock { get; }

    /// <summary>The key that the audit trail is signed with from now on.</summary>
    uint ActiveKeyId { get; }

    /// <summary>Called after messages were saved, so that they need not wait for the next look into the outbox.</summary>
    Action? Queued { get; set; }

    /// <summary>Told of every commit: how many callers' writes it made durable, and how long it took.</summary>
    Action<int, TimeSpan>? Committed { get; set; }

    IAuditTrail Trail { get; }

    /// <summary>For how long a caller's key that was looked up may be used without another look.</summary>
    TimeSpan KeyLifetime { get; }

    /// <returns>The account as last saved; one that was never saved comes back empty.</returns>
    ValueTask<Account> FindAsync(AccountKey key);

    /// <summary>An account, and the answer to a request about it if it was answered before. The account is no older than the answer.</summary>
    /// <param name="mark">Null for a request that is not remembered.</param>
    /// <param name="recent">
    /// Whether the account may be as it was some time ago, with a factor in force. Good for a decision that <see cref="UpdateAsync"/> saves,
    /// since that decides again where the account has changed.
    /// </param>
    ValueTask<(Account Account, RememberedAnswer? Before)> FindAsync(AccountKey key, RequestMark? mark, bool recent);

    /// <summary>The same on the caller's thread, for operator verbs.</summary>
    Account Find(AccountKey key);

    /// <returns>How far a message has got; null once it is forgotten.</returns>
    ValueTask<DeliveryStatus?> FindDeliveryAsync(AccountKey key, Guid id);

    /// <returns>The answer to the same request, if it was answered before and is still remembered.</returns>
    ValueTask<RememberedAnswer?> FindAnswerAsync(RequestMark mark);

    /// <summary>
    /// Decides on the account as <paramref name="loaded"/> and saves the outcome, durably, before it returns. When somebody
    /// else saved the account meanwhile, decides again on what they saved.
    /// </summary>
    /// <param name="decide">Pure and quick: may run again, inside the writer.</param>
    /// <exception cref="StoreUnavailableException">Not saved, or not known to be: no answer may be given.</exception>
    Task<T> UpdateAsync<T>(Account loaded, Func<Account, Change<T>> decide, Remember<T>? remember = null);

    /// <summary>Runs work inside a transaction and completes once it is durable. Work may run more than once.</summary>
    /// <exception cref="StoreUnavailableException">It could not be saved.</exception>
    Task<T> WriteAsync<T>(Func<Session, T> work);

    /// <summary>Saves an account within <see cref="WriteAsync"/>, if it is still the one that was decided on.</summary>
    /// <returns>False when somebody else saved it first; nothing was changed then.</returns>
    bool Save(Session session, Account loaded, Account next);

    /// <summary>Puts a row into the audit trail that tells about nothing else in the database.</summary>
    Task AuditAsync(AuditEntry entry);

    /// <summary>Reads on the caller's thread.</summary>
    T Read<T>(Func<Session, T> work);

    /// <summary>Leaves nothing of values that were replaced or removed where the database itself can help it.</summary>
    Task EmptyLogAsync();
}
