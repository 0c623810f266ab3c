using Channels = System.Threading.Channels;

namespace Mfa.Server.Store.Postgres;

/// <summary>
/// Saves decisions in groups: what arrives while a group is being saved is the next one, in one transaction and one round trip,
/// and each caller is answered by itself once it is durable. It has a thread of its own, which waits on the socket: an answer that
/// went through the thread pool would wait there behind the calls of the next group.
/// </summary>
internal sealed class SaveLane(
    PostgresDatabase database, TrailChain chain, RecentAccounts recent, TimeProvider clock, Action queued, Action<int, TimeSpan> committed) : IDisposable
{
    private const int MaxGroup = 256;

    /// <summary>How often a group is tried that others get in the way of without having changed what it is about.</summary>
    private const int MostAttempts = 12;

    private readonly Channels.Channel<SaveJob> _queue =
        Channels.Channel.CreateUnbounded<SaveJob>(new Channels.UnboundedChannelOptions { SingleReader = true });

    private readonly SemaphoreSlim _turn = new(1, 1);
    private Thread? _thread;

    public void Start()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "store saver" };
        _thread.Start();
    }

    /// <summary>Once handed in a job cannot be cancelled: a guess counts.</summary>
    public void Add(SaveJob job)
    {
        if (!_queue.Writer.TryWrite(job)) job.Fail(new StoreUnavailableException(new ObjectDisposedException(nameof(SaveLane))));
    }

    /// <summary>Does something with the chain while nothing is appended to it.</summary>
    public async Task<T> BetweenGroupsAsync<T>(Func<TrailChain, Task<T>> work)
    {
        await _turn.WaitAsync();
        try
        {
            return await work(chain);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Finishes what was handed in.</summary>
    public void Stop()
    {
        _queue.Writer.TryComplete();
        _thread?.Join();
    }

    public void Dispose() => _turn.Dispose();

    private void Run()
    {
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            _turn.Wait(); // what arrives meanwhile is in this group
            try
            {
                var jobs = new List<SaveJob>();
                while (jobs.Count < MaxGroup && _queue.Reader.TryRead(out var job)) jobs.Add(job);
                Save(jobs, Known.Nothing);
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    private void Save(List<SaveJob> jobs, Known known)
    {
        for (var attempt = 1; ; attempt++)
        {
            var now = clock.GetUtcNow();
            var group = SaveGroup.Of(jobs, known, now);
            TrailRows? rows = null;
            try
            {
                if (!group.IsEmpty)
                {
                    chain.HoldAsync().GetAwaiter().GetResult();
                    rows = chain.Next(group.Entries);
                    using var connection = database.OpenToSave();
                    var began = clock.GetTimestamp();
                    group.Run(database, connection, chain.Commands(rows), now);
                    chain.Committed(rows);
                    committed(group.Jobs.Count, clock.GetElapsedTime(began));
                }

                Complete(group);
                return;
            }
            catch (Exception conflict) when (PostgresErrors.IsConflict(conflict) && attempt < MostAttempts)
            {
                chain.Lost();
                if (LookAgainAsync(group).GetAwaiter().GetResult() is not { } fresh) return;
                var (contested, quiet) = (fresh.Contested, fresh.Quiet);
                if (contested.Count == 0) Transactions.PauseAsync(attempt).Wait();
                if (contested.Count > 0 && quiet.Count + contested.Count > 1)
                {
                    // Who fights over an account holds up nobody but those who fight along.
                    if (quiet.Count > 0) Save(quiet, fresh.Known);
                    foreach (var account in contested.GroupBy(job => job.Loaded!.Key)) Save([.. account], fresh.Known);
                    return;
                }

                (jobs, known) = ([.. quiet, .. contested], fresh.Known);
            }
            catch (Exception broken)
            {
                Settle(group, rows, broken);
                return;
            }
        }
    }

    private void Complete(SaveGroup group)
    {
        foreach (var account in group.Saved) recent.Put(account);
        Batches.Run(group.Jobs, static job => job.Complete());
        if (group.HasMessages) queued();
    }

    /// <summary>What is saved by now of what the group was about. Requests that were answered meanwhile are done with.</summary>
    /// <returns>Null when that cannot be read, and all have been told so.</returns>
    private async Task<Fresh?> LookAgainAsync(SaveGroup group)
    {
        Known known;
        try
        {
            known = await Known.ReadAsync(database, group.Jobs, clock.GetUtcNow());
        }
        catch (Exception broken)
        {
            foreach (var job in group.Jobs) job.Fail(Unavailable(broken));
            return null;
        }

        foreach (var account in known.Accounts.Values)
        {
            if (group.BaseOf(account.Key)?.Version != account.Version) recent.Lost(account);
        }

        var (contested, quiet) = (new List<SaveJob>(), new List<SaveJob>());
        foreach (var job in group.Jobs)
        {
            if (job.Mark is { } mark && known.Answers.TryGetValue((mark.Account, mark.Caller, mark.Id), out var before))
            {
                job.Repeat(before);
                Batches.Run<SaveJob>([job], static job => job.Complete());
            }
            else if (job.Loaded is not { } loaded || group.BaseOf(loaded.Key)?.Version == known.Accounts[loaded.Key].Version) quiet.Add(job);
            else if (++job.Losses > SaveJob.MostLosses) job.Fail(new LostRaceException());
            else contested.Add(job);
        }

        return new Fresh(known, contested, quiet);
    }

    /// <summary>Tells everybody what became of a group that was not acknowledged: accepted is only what is found saved.</summary>
    private void Settle(SaveGroup group, TrailRows? rows, Exception broken)
    {
        chain.Lost();
        if (PostgresErrors.IsNotPrepared(broken)) database.StopPreparing();
        if (PostgresErrors.IsCut(broken))
        {
            database.Forget();
            if (rows is not null && IsSaved(rows))
            {
                Complete(group);
                return;
            }
        }
        else if (group.Jobs.Count > 1)
        {
            foreach (var job in group.Jobs) Save([job], Known.Nothing);
            return;
        }

        foreach (var job in group.Jobs) job.Fail(Unavailable(broken));
    }

    private bool IsSaved(TrailRows rows)
    {
        try
        {
            return chain.AreSavedAsync(rows).GetAwaiter().GetResult();
        }
        catch (Exception gone) when (gone is StoreUnavailableException || PostgresErrors.IsOfStore(gone))
        {
            return false; // not known, and so not told
        }
    }

    private static Exception Unavailable(Exception broken) => PostgresErrors.IsOfStore(broken) ? new StoreUnavailableException(broken) : broken;

    private sealed record Fresh(Known Known, List<SaveJob> Contested, List<SaveJob> Quiet);
}
