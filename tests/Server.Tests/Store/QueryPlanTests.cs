using System.Text.RegularExpressions;
using Mfa.EndToEnd.Postgres;
using Mfa.Server.Domain;
using Mfa.Server.Store;
using Mfa.Server.Store.Postgres;
using Mfa.Server.Tests.Protection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Mfa.Server.Tests.Store;

/// <summary>A database with tables so full that another way than by keys would look cheaper, if there were one. Filled once.</summary>
public sealed class FullDatabase(PostgresCluster cluster) : IAsyncLifetime
{
    private const string Fill = """
        INSERT INTO accounts (tenant, account, version, factor_failures, enrollment_failures, recovery_failures)
        SELECT 'default', 'account-' || i, 1, 0, 0, 0 FROM generate_series(1, 50000) AS i;
        INSERT INTO answers SELECT 'default', 'account-' || i, 'service:a', decode(md5(i::text), 'hex'), '', '', 0 FROM generate_series(1, 50000) AS i;
        INSERT INTO outbox SELECT 'default', 'account-' || i, decode(md5(i::text), 'hex'), 1, '', 0, 0, 0, 0, 2, 0 FROM generate_series(1, 50000) AS i;
        INSERT INTO audit_head SELECT i, 0, '', 0, 0, '', 0, 0, '', '', 9000000000000 FROM generate_series(100, 5000) AS i;
        ANALYZE accounts; ANALYZE answers; ANALYZE outbox; ANALYZE audit_head;
        """;

    internal PostgresDatabase Database { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = new PostgresDatabase(await cluster.NewDatabaseAsync());
        Database.Migrate(Rings.New());
        await using var connection = await Database.OpenAsync();
        await using var fill = new NpgsqlCommand(Fill, connection) { CommandTimeout = 120 }; // a machine with many tests at once
        await fill.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        Database.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>
/// How PostgreSQL finds the rows of a verification: by whole keys and in no other way, as engines need it that spread a table over
/// machines.
/// </summary>
public sealed partial class QueryPlanTests(FullDatabase full) : IClassFixture<FullDatabase>
{
    private static readonly Dictionary<string, string[]> Keys = new(StringComparer.Ordinal)
    {
        ["accounts"] = ["tenant", "account"],
        ["answers"] = ["tenant", "account", "caller", "request_id"],
        ["audit_head"] = ["chain"],
    };

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    [Fact]
    public async Task Every_statement_of_a_verification_finds_its_rows_by_whole_keys()
    {
        await using var connection = await full.Database.OpenAsync();

        var statements = await StatementsAsync();
        foreach (var statement in statements)
        {
            var plan = await ExplainAsync(connection, statement);
            AssertByKeys(plan);
            Assert.DoesNotMatch("(?i)nextval|advisory|for update|for share|lock table|listen|notify", statement.CommandText);
        }

        Assert.Equal(11, statements.Count);
    }

    [Fact]
    public async Task The_schema_has_nothing_that_other_engines_lack()
    {
        await using var connection = await full.Database.OpenAsync();

        Assert.Equal(0L, await AskAsync(connection, "SELECT count(*) FROM pg_class WHERE relkind = 'S'"));
        Assert.Equal(0L, await AskAsync(connection, "SELECT count(*) FROM pg_trigger"));
        Assert.Equal(0L, await AskAsync(connection, "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"));
    }

    /// <summary>Shows that the reading of plans tells them apart.</summary>
    [Theory]
    [InlineData("SELECT version FROM accounts WHERE version = 2")]
    [InlineData("SELECT version FROM accounts WHERE tenant = 'default'")]
    [InlineData("SELECT answer FROM answers WHERE tenant = 'default' AND account = 'account-7'")]
    [InlineData("SELECT answer FROM answers WHERE expire_time > 5")]
    [InlineData("SELECT a.version FROM accounts AS a JOIN answers AS b ON a.tenant = b.tenant AND a.account = b.account")]
    public async Task A_statement_that_looks_at_more_rows_than_it_names_is_seen(string sql)
    {
        await using var connection = await full.Database.OpenAsync();

        var plan = await ExplainAsync(connection, new NpgsqlBatchCommand(sql));

        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertByKeys(plan));
    }

    private static void AssertByKeys(string[] plan)
    {
        for (var i = 0; i < plan.Length; i++)
        {
            if (Scan().Match(plan[i]) is not { Success: true } scan) continue;
            Assert.True(scan.Groups[1].Value is "Index Scan" or "Index Only Scan", string.Join('\n', plan));
            var condition = plan.Skip(i + 1).First();
            Assert.StartsWith("Index Cond: ", condition.Trim(), StringComparison.Ordinal);
            Assert.All(Keys[scan.Groups[2].Value], key => Assert.Contains($"{key} = ", condition, StringComparison.Ordinal));
        }
    }

    /// <summary>All that a group with every kind of change sends, and the reads before it.</summary>
    private async Task<List<NpgsqlBatchCommand>> StatementsAsync()
    {
        var now = _clock.GetUtcNow();
        var factor = new Enrollment(Guid.NewGuid(), Method.Authenticator, new TotpParameters(OtpAlgorithm.Sha1, 6, 30), new SealedBytes([1]), LastStep: 7,
            new RecoverySet(Guid.NewGuid(), KeyId: 1, [1], Used: 0), Email: null);
        var (jobs, marks) = (new List<SaveJob>(), new List<RequestMark>());
        for (var i = 0; i < 64; i++)
        {
            var loaded = new Account(new AccountKey("default", $"account-{i * 7 + 1}")) { Version = i % 8 == 0 ? 0 : 1, InForce = factor };
            var next = i % 16 == 5 ? loaded : i % 16 == 9 ? loaded with { InForce = factor with { LastStep = 8 } } : i % 2 == 0 ? loaded with { DisableTime = now } : loaded with { FactorGuesses = new GuessBudget(1, LockedUntil: null) };
            var entry = new AuditEntry(now, AuditAct.Verify, new AuditCaller("service:a"), loaded.Key).Done(ProvenBy.Authenticator);
            var notice = new OutboxMessage(loaded.Key, Guid.NewGuid(), Channel.Email, new SealedBytes([1]), now, now.AddMinutes(5));
            var change = new Change<bool>(Answer: true, next, entry, new Send<bool>([notice], [], _ => false));
            var mark = new RequestMark(loaded.Key, "service:a", Guid.NewGuid(), [1], now.AddMinutes(10));
            marks.Add(mark);
            jobs.Add(new DecisionJob<bool>(loaded, change, _ => change, new Remember<bool>(mark, _ => [1], _ => true)));
        }

        var group = SaveGroup.Of(jobs, Known.Nothing, now);
        var chain = new TrailChain(full.Database, Rings.New(), _clock);
        await chain.HoldAsync();
        return [AccountRow.Find([.. marks.Select(mark => mark.Account)]), AnswerColumns.Find(marks), .. group.Commands(now), .. chain.Commands(chain.Next(group.Entries))];
    }

    private static async Task<object?> AskAsync(NpgsqlConnection connection, string sql)
    {
#pragma warning disable CA2100 // a constant of this test
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<string[]> ExplainAsync(NpgsqlConnection connection, NpgsqlBatchCommand statement)
    {
#pragma warning disable CA2100 // a statement of the store's own
        await using var command = new NpgsqlCommand($"EXPLAIN {statement.CommandText}", connection);
#pragma warning restore CA2100
        foreach (NpgsqlParameter parameter in statement.Parameters) command.Parameters.Add(parameter.Clone());
        await using var row = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var lines = new List<string>();
        while (await row.ReadAsync(TestContext.Current.CancellationToken)) lines.Add(row.GetString(0));
        return [.. lines];
    }

    /// <summary>A table that is looked into, and how; not what only passes rows on.</summary>
    [GeneratedRegex("(Seq Scan|Parallel Seq Scan|Bitmap Heap Scan|Tid Scan|Index Scan|Index Only Scan)(?: Backward)?(?: using \\w+)? on (\\w+)", RegexOptions.None, 1000)]
    private static partial Regex Scan();
}
