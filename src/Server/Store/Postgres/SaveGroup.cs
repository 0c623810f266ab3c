using Mfa.Server.Domain;
using Npgsql;

namespace Mfa.Server.Store.Postgres;

/// <summary>
/// Jobs that are saved in one transaction and one round trip, all or none: accounts, remembered answers, notices and audit rows.
/// A guard in every conditional statement divides by zero when it did not touch each of its rows, so that nothing is ever saved
/// of a decision on a state that somebody else has changed. Several jobs on one account decide one after the other, each on
/// what the one before left.
/// </summary>
internal sealed class SaveGroup(int jobs)
{
    private readonly Dictionary<AccountKey, (Account From, Account To)> _accounts = new(jobs);
    private readonly Dictionary<(AccountKey, string, Guid), (RequestMark Mark, byte[] Answer)> _answers = [];
    private readonly List<AuditEntry> _entries = new(jobs);
    private readonly List<OutboxMessage> _messages = [];

    public List<SaveJob> Jobs { get; } = new(jobs);

    /// <summary>The accounts as they stand in the database, once the group is saved.</summary>
    public IReadOnlyList<Account> Saved { get; private set; } = [];

    public IReadOnlyCollection<AuditEntry> Entries => _entries;

    public bool HasMessages => _messages.Count > 0;

    public bool IsEmpty => _entries.Count == 0 && _answers.Count == 0 && _messages.Count == 0 && _accounts.Values.All(a => ReferenceEquals(a.From, a.To));

    public Account? BaseOf(AccountKey key) => _accounts.TryGetValue(key, out var account) ? account.From : null;

    /// <summary>Has the jobs decide, one after the other. Whose decision fails is told so, and the others are not in it.</summary>
    /// <param name="known">What is known to be saved by now; of other accounts it is what the jobs have loaded.</param>
    public static SaveGroup Of(List<SaveJob> jobs, Known known, DateTimeOffset now)
    {
        // Of what several callers have loaded, the newest is the one that is still saved, if any is.
        var newest = new Dictionary<AccountKey, Account>(known.Accounts);
        newest.EnsureCapacity(jobs.Count);
        foreach (var job in jobs)
        {
            if (job.Loaded is not { } loaded || known.Accounts.ContainsKey(loaded.Key)) continue;
            if (!newest.TryGetValue(loaded.Key, out var other) || loaded.Version > other.Version) newest[loaded.Key] = loaded;
        }

        var group = new SaveGroup(jobs.Count);
        foreach (var job in jobs)
        {
            try
            {
                group.Add(job, job.Loaded is { } loaded ? newest[loaded.Key] : null, now);
            }
            catch (Exception broken)
            {
                job.Fail(broken); // one job's failure is not the others'
            }
        }

        return group;
    }

    /// <param name="trail">Appends the group's rows to a chain.</param>
    public void Run(PostgresDatabase database, NpgsqlConnection connection, IEnumerable<NpgsqlBatchCommand> trail, DateTimeOffset now)
    {
        using var batch = new NpgsqlBatch(connection); // without a transaction of its own it is one, up to its end
        foreach (var command in Commands(now).Concat(trail)) batch.BatchCommands.Add(command);
        database.Prepare(batch);
        batch.ExecuteNonQuery();
    }

    public IEnumerable<NpgsqlBatchCommand> Commands(DateTimeOffset now)
    {
        // In one order everywhere, so that two servers seldom wait for each other in a circle.
        (Account From, Account To)[] accounts = [.. _accounts.Values];
        Array.Sort(accounts, static (a, b) => InOrder(a.To.Key, b.To.Key));
        var chance = AccountColumns.Chance();
        List<(Account From, Account To)> steps = new(accounts.Length), few = [], whole = [], added = [];
        List<Account> kept = [], saved = new(accounts.Length);
        foreach (var (from, to) in accounts)
        {
            if (ReferenceEquals(from, to))
            {
                if (from.Version > 0) kept.Add(from);
                continue;
            }

            var next = AccountColumns.Next(to, chance);
            saved.Add(next);
            var like = from.Version == 0 ? added : AccountColumns.OnlyStep(from, to) ? steps : AccountColumns.OnlyChecked(from, to) ? few : whole;
            like.Add((from, next));
        }

        Saved = saved;
        if (steps.Count > 0) yield return AccountColumns.SaveStep(steps);
        if (few.Count > 0) yield return AccountColumns.SaveChecked(few);
        if (whole.Count > 0) yield return AccountColumns.SaveAll(whole);
        if (added.Count > 0) yield return AccountColumns.Add(added);
        if (kept.Count > 0) yield return AccountColumns.RequireCurrent(kept); // decided on all the same
        if (_answers.Count > 0) yield return AnswerColumns.Save([.. _answers.Values], now);
        if (_messages.Count > 0) yield return AddMessages();
    }

    /// <param name="state">The account as far as it is known to be saved; null for a job that is about none.</param>
    private void Add(SaveJob job, Account? state, DateTimeOffset now)
    {
        if (job.Mark is { } mark && _answers.TryGetValue(Key(mark), out var before))
        {
            job.Repeat(new RememberedAnswer(before.Mark.Payload, before.Answer)); // told once that one is saved
            Jobs.Add(job);
            return;
        }

        if (state is not null && _accounts.TryGetValue(state.Key, out var known)) state = known.To;
        var decision = job.Decide(state);
        if (decision.NeedsWork)
        {
            job.Reroute();
            return;
        }

        Jobs.Add(job);
        if (state is not null) _accounts[state.Key] = (_accounts.TryGetValue(state.Key, out known) ? known.From : state, decision.Next ?? state);
        if (decision.Audit is { } entry) _entries.Add(entry);
        foreach (var message in decision.Messages)
        {
            _messages.Add(message);
            var by = decision.Audit?.By ?? AuditCaller.Server;
            _entries.Add(AuditEntry.OfMessage(now, by, message.Account, message.Id, message.Channel, AuditOutcome.Queued));
        }

        if (job.Mark is { } fresh && decision.Answer is { } answer) _answers[Key(fresh)] = (fresh, answer);
    }

    private static int InOrder(AccountKey a, AccountKey b) =>
        string.CompareOrdinal(a.Tenant, b.Tenant) is var tenants and not 0 ? tenants : string.CompareOrdinal(a.Account, b.Account);

    private NpgsqlBatchCommand AddMessages()
    {
        var command = new NpgsqlBatchCommand("""
            INSERT INTO outbox (tenant, account, id, channel, content, create_time, expire_time, next_time, attempts, state, update_time)
            SELECT n.tenant, n.account, n.id, n.channel, n.content, n.now, n.expire, n.now, 0, 1, n.now
            FROM unnest($1, $2, $3, $4, $5, $6, $7) AS n(tenant, account, id, channel, content, now, expire)
            """);
        AccountColumns.BindKeys(command.Parameters, _messages.ConvertAll(message => message.Account));
        command.Parameters.Add(Arrays.Bytes(_messages, message => message.Id.ToByteArray()));
        command.Parameters.Add(Arrays.Numbers(_messages, message => (long)message.Channel));
        command.Parameters.Add(Arrays.Bytes(_messages, message => message.Content.Bytes));
        command.Parameters.Add(Arrays.Numbers(_messages, message => message.CreateTime.ToUnixTimeMilliseconds()));
        command.Parameters.Add(Arrays.Numbers(_messages, message => message.ExpireTime.ToUnixTimeMilliseconds()));
        return command;
    }

    private static (AccountKey, string, Guid) Key(RequestMark mark) => (mark.Account, mark.Caller, mark.Id);
}
