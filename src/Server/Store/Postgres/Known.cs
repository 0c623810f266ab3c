using Mfa.Server.Domain;

namespace Mfa.Server.Store.Postgres;

/// <summary>What is known to be saved, after others got in the way of a group: accounts, and answers to requests that were made before.</summary>
internal sealed record Known(Dictionary<AccountKey, Account> Accounts, Dictionary<(AccountKey, string, Guid), RememberedAnswer> Answers)
{
    public static readonly Known Nothing = new([], []);

    public static async Task<Known> ReadAsync(PostgresDatabase database, IReadOnlyList<SaveJob> jobs, DateTimeOffset now)
    {
        var keys = jobs.Select(job => job.Loaded?.Key).OfType<AccountKey>().Distinct().ToList();
        var marks = jobs.Select(job => job.Mark).OfType<RequestMark>().DistinctBy(mark => (mark.Account, mark.Caller, mark.Id)).ToList();
        await using var connection = await database.OpenAsync();
        var (accounts, found) = await AccountReads.FindAsync(database, connection, keys, marks, now);
        var answers = new Dictionary<(AccountKey, string, Guid), RememberedAnswer>();
        for (var i = 0; i < marks.Count; i++)
        {
            if (found[i] is { } before) answers[(marks[i].Account, marks[i].Caller, marks[i].Id)] = before;
        }

        return new Known(accounts.ToDictionary(account => account.Key), answers);
    }
}
