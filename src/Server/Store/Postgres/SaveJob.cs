using Mfa.Server.Domain;

namespace Mfa.Server.Store.Postgres;

/// <summary>What a job wants saved of an account's state.</summary>
/// <param name="Answer">To be remembered; null for none.</param>
/// <param name="NeedsWork">It asks for more than a group can save: limits that must let messages pass.</param>
internal readonly record struct Decision(Account? Next, AuditEntry? Audit, IReadOnlyList<OutboxMessage> Messages, byte[]? Answer, bool NeedsWork);

/// <summary>One caller's part of a group that is saved together.</summary>
internal abstract class SaveJob
{
    /// <summary>How often somebody else saved the account first, before a caller is told so.</summary>
    public const int MostLosses = 3;

    /// <summary>Null for a row of the trail that is about nothing else.</summary>
    public abstract Account? Loaded { get; }

    public virtual RequestMark? Mark => null;

    public int Losses { get; set; }

    public abstract Decision Decide(Account? state);

    /// <summary>Somebody answered the same request; what was decided here is not.</summary>
    public virtual void Repeat(RememberedAnswer before) => throw new InvalidOperationException("Nothing is remembered of it.");

    /// <summary>The last decision is durable. The caller goes on in this thread.</summary>
    public abstract void Complete();

    /// <summary>To be done in a transaction of its own. The caller goes on in another thread.</summary>
    public virtual void Reroute() => throw new InvalidOperationException("There is no other way for it.");

    /// <summary>The caller goes on in another thread.</summary>
    public abstract void Fail(Exception why);

    protected static void Elsewhere(Action end) => ThreadPool.UnsafeQueueUserWorkItem(static end => end(), end, preferLocal: false);
}

/// <param name="Rerouted">Not saved: it belongs into a transaction of its own.</param>
internal readonly record struct Saved<T>(T? Answer, bool Rerouted = false);

internal sealed class DecisionJob<T>(Account loaded, Change<T> first, Func<Account, Change<T>> decide, Remember<T>? remember) : SaveJob
{
    private readonly TaskCompletionSource<Saved<T>> _done = new();
    private Change<T> _change = first;
    private Account? _decidedOn;
    private Saved<T>? _repeated;

    public Task<Saved<T>> Done => _done.Task;

    public override Account? Loaded => loaded;

    public override RequestMark? Mark => remember?.Mark;

    /// <summary>Whether a transaction of its own is needed: its messages must pass limits, or take others back.</summary>
    public static bool NeedsWork(Change<T> change) => change.Send is { } send && (send.Limits.Count > 0 || send.Supersedes is not null);

    public override Decision Decide(Account? state)
    {
        _repeated = null;
        if (!ReferenceEquals(state, _decidedOn ?? loaded)) (_change, _decidedOn) = (decide(state!), state);
        return new Decision(_change.Next, _change.Audit, _change.Send?.Messages ?? [], remember?.Encode(_change.Answer), NeedsWork(_change));
    }

    public override void Repeat(RememberedAnswer before) => _repeated = new Saved<T>(remember!.Decode(before));

    public override void Complete() => _done.TrySetResult(_repeated ?? new Saved<T>(_change.Answer));

    public override void Reroute() => Elsewhere(() => _done.TrySetResult(new Saved<T>(default, Rerouted: true)));

    public override void Fail(Exception why) => Elsewhere(() => _done.TrySetException(why));
}

/// <summary>A row of the trail that tells about nothing else in the database.</summary>
internal sealed class AuditJob(AuditEntry entry) : SaveJob
{
    private readonly TaskCompletionSource _done = new();

    public Task Done => _done.Task;

    public override Account? Loaded => null;

    public override Decision Decide(Account? state) => new(null, entry, [], null, NeedsWork: false);

    public override void Complete() => _done.TrySetResult();

    public override void Fail(Exception why) => Elsewhere(() => _done.TrySetException(why));
}
