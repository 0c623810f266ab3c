using Mfa.Server.Domain;
using Npgsql;

namespace Mfa.Server.Store.Postgres;

/// <summary>
/// Reads accounts by their keys, and answers by their marks; those that are asked for at the same time in one round trip.
/// </summary>
internal sealed class AccountReads(PostgresDatabase database)
{
    private const int MaxGroup = 256;
    private readonly System.Threading.Channels.Channel<Read> _queue = System.Threading.Channels.Channel.CreateUnbounded<Read>();
    private Task _running = Task.CompletedTask;

    public void Start() => _running = Task.Run(RunAsync);

    /// <param name="mark">A request whose answer is wanted as well; null for none.</param>
    public async Task<(Account Account, RememberedAnswer? Before)> FindAsync(AccountKey key, RequestMark? mark, DateTimeOffset now)
    {
        var (account, before) = await ReadAsync(key, mark, now);
        return (account!, before);
    }

    public async Task<RememberedAnswer?> FindAnswerAsync(RequestMark mark, DateTimeOffset now) => (await ReadAsync(key: null, mark, now)).Before;

    public Task StopAsync()
    {
        _queue.Writer.TryComplete();
        return _running;
    }

    /// <returns>Each in the place of its key or mark. An answer is null when the request was not answered, or is forgotten.</returns>
    public static async Task<(List<Account> Accounts, List<RememberedAnswer?> Answers)> FindAsync(
        PostgresDatabase database, NpgsqlConnection connection, IReadOnlyList<AccountKey> keys, IReadOnlyList<RequestMark> marks, DateTimeOffset now)
    {
        var accounts = keys.Select(key => new Account(key)).ToList(); // one that was never saved is empty
        var answers = marks.Select(_ => (RememberedAnswer?)null).ToList();
        // Answers first: an account that is read after them is no older than they are.
        await using var batch = new NpgsqlBatch(connection);
        if (marks.Count > 0) batch.BatchCommands.Add(AnswerColumns.Find(marks));
        if (keys.Count > 0) batch.BatchCommands.Add(AccountRow.Find(keys));
        if (batch.BatchCommands.Count == 0) return (accounts, answers);
        await database.PrepareAsync(batch);
        await using var row = await batch.ExecuteReaderAsync();
        if (marks.Count > 0)
        {
            while (await row.ReadAsync()) answers[At(row)] = AnswerColumns.ReadFrom(row, now);
            await row.NextResultAsync();
        }

        while (keys.Count > 0 && await row.ReadAsync()) accounts[At(row)] = AccountRow.ReadFrom(row, keys[At(row)]);
        return (accounts, answers);
    }

    private static int At(NpgsqlDataReader row) => (int)row.GetInt64(0) - 1;

    private Task<(Account? Account, RememberedAnswer? Before)> ReadAsync(AccountKey? key, RequestMark? mark, DateTimeOffset now)
    {
        var read = new Read(key, mark, now, new TaskCompletionSource<(Account?, RememberedAnswer?)>(TaskCreationOptions.RunContinuationsAsynchronously));
        return _queue.Writer.TryWrite(read) ? read.Done.Task : throw new StoreUnavailableException(new ObjectDisposedException(nameof(AccountReads)));
    }

    private async Task RunAsync()
    {
        var reads = new List<Read>(MaxGroup);
        while (await _queue.Reader.WaitToReadAsync())
        {
            reads.Clear();
            while (reads.Count < MaxGroup && _queue.Reader.TryRead(out var read)) reads.Add(read);
            try
            {
                var keys = reads.Select(read => read.Key).OfType<AccountKey>().Distinct().ToArray();
                var marked = reads.FindAll(read => read.Mark is not null);
                var now = reads.Max(read => read.Now);
                var (accounts, answers) = await database.ReadAsync(connection => FindAsync(database, connection, keys, marked.ConvertAll(read => read.Mark!), now));
                var found = accounts.ToDictionary(account => account.Key);
                Account? Of(Read read) => read.Key is { } key ? found[key] : null;
                for (var i = 0; i < marked.Count; i++) marked[i].Done.TrySetResult((Of(marked[i]), answers[i]));
                foreach (var read in reads.Where(read => read.Mark is null)) read.Done.TrySetResult((Of(read), null));
            }
            catch (Exception broken)
            {
                foreach (var read in reads) read.Done.TrySetException(broken);
            }
        }
    }

    /// <param name="Key">The account that is wanted; null for the answer alone.</param>
    private sealed record Read(AccountKey? Key, RequestMark? Mark, DateTimeOffset Now, TaskCompletionSource<(Account?, RememberedAnswer?)> Done);
}
