using Mfa.Server.Domain;
using Npgsql;
using NpgsqlTypes;

namespace Mfa.Server.Store.Postgres;

/// <summary>Reads accounts by their keys; those that are asked for at the same time in one statement.</summary>
internal sealed class AccountReads(PostgresDatabase database)
{
    private const int MaxGroup = 256;
    private const int Lanes = 2;

    private readonly System.Threading.Channels.Channel<Read> _queue = System.Threading.Channels.Channel.CreateUnbounded<Read>();
    private Task _running = Task.CompletedTask;

    public void Start() => _running = Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => Task.Run(RunAsync)));

    public Task<Account> FindAsync(AccountKey key)
    {
        var read = new Read(key, new TaskCompletionSource<Account>(TaskCreationOptions.RunContinuationsAsynchronously));
        return _queue.Writer.TryWrite(read) ? read.Done.Task : throw new StoreUnavailableException(new ObjectDisposedException(nameof(AccountReads)));
    }

    public Task StopAsync()
    {
        _queue.Writer.TryComplete();
        return _running;
    }

    public static async Task<List<Account>> FindAsync(NpgsqlConnection connection, IReadOnlyList<AccountKey> keys)
    {
        var found = keys.Select(key => new Account(key)).ToList(); // one that was never saved is empty
        if (keys.Count == 0) return found;
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { AccountColumns.Find(keys) } };
        await using var row = await batch.ExecuteReaderAsync();
        while (await row.ReadAsync())
        {
            var at = (int)row.GetInt64(0) - 1;
            found[at] = AccountColumns.ReadFrom(row, keys[at]);
        }

        return found;
    }

    public static async Task<RememberedAnswer?> FindAnswerAsync(NpgsqlConnection connection, RequestMark mark, DateTimeOffset now)
    {
        await using var command = new NpgsqlCommand("""
            SELECT payload, answer FROM answers WHERE tenant = $1 AND account = $2 AND caller = $3 AND request_id = $4 AND expire_time > $5
            """, connection);
        foreach (var text in new[] { mark.Account.Tenant, mark.Account.Account, mark.Caller }) command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = text });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = mark.Id.ToByteArray(), NpgsqlDbType = NpgsqlDbType.Bytea });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = now.ToUnixTimeMilliseconds() });
        await using var row = await command.ExecuteReaderAsync();
        return await row.ReadAsync() ? new RememberedAnswer(row.GetFieldValue<byte[]>(0), row.GetFieldValue<byte[]>(1)) : null;
    }

    private async Task RunAsync()
    {
        var reads = new List<Read>(MaxGroup);
        while (await _queue.Reader.WaitToReadAsync())
        {
            reads.Clear();
            while (reads.Count < MaxGroup && _queue.Reader.TryRead(out var read)) reads.Add(read);
            if (reads.Count == 0) continue; // the other lane has them
            try
            {
                var keys = reads.Select(read => read.Key).Distinct().ToArray();
                var found = (await database.ReadAsync(connection => FindAsync(connection, keys))).ToDictionary(account => account.Key);
                foreach (var read in reads) read.Done.TrySetResult(found[read.Key]);
            }
            catch (Exception broken)
            {
                foreach (var read in reads) read.Done.TrySetException(broken);
            }
        }
    }

    private sealed record Read(AccountKey Key, TaskCompletionSource<Account> Done);
}
