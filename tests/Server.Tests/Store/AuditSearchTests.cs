using Mfa.Server.Domain;
using Mfa.Server.Store;

namespace Mfa.Server.Tests.Store;

public sealed class AuditSearchTests : IDisposable
{
    private const int Rows = 10_000; // two full segments and a part of the third
    private readonly AuditTrailFile _trail = new();

    public void Dispose() => _trail.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_filter_finds_what_a_look_at_every_row_finds(bool withFindingAid)
    {
        var start = _trail.Clock.GetUtcNow();
        await _trail.AppendAsync(Rows, i => _trail.Entry($"account-{i % 700}", $"service:{i % 3}", i % 50 == 0 ? AuditOutcome.Locked : AuditOutcome.Accepted));
        if (withFindingAid) await _trail.KeepAsync();
        var all = _trail.Find(new AuditFilter());
        Assert.Equal(Rows, all.Count);
        Assert.Equal(all.OrderByDescending(row => row.Seq), all);

        var (since, until) = (start.AddMilliseconds(1_000), start.AddMilliseconds(9_000));
        var account = new AccountKey("default", "account-350");
        (AuditFilter, Func<AuditRow, bool>)[] filters =
        [
            (new AuditFilter(Account: account), row => row.Account == "account-350"),
            (new AuditFilter(Account: account, Outcome: AuditOutcome.Locked), row => row.Account == "account-350" && row.Outcome == AuditOutcome.Locked),
            (new AuditFilter(Caller: "service:1"), row => row.Caller == "service:1"),
            (new AuditFilter(Caller: "service:1", Outcome: AuditOutcome.Locked), row => row.Caller == "service:1" && row.Outcome == AuditOutcome.Locked),
            (new AuditFilter(Outcome: AuditOutcome.Locked), row => row.Outcome == AuditOutcome.Locked),
            (new AuditFilter(Outcome: AuditOutcome.Rejected), _ => false),
            (new AuditFilter(Since: since, Until: until), row => row.Time >= since && row.Time < until),
            (new AuditFilter(Caller: "service:2", Since: since), row => row.Caller == "service:2" && row.Time >= since),
            (new AuditFilter(Tenant: "other"), _ => false),
        ];

        Assert.All(filters, filter =>
        {
            var expected = all.Where(filter.Item2).ToList();
            Assert.Equal(expected, _trail.Find(filter.Item1));
            Assert.Equal(expected.Take(7), _trail.Find(filter.Item1, limit: 7));
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_account_of_the_same_name_in_another_tenant_is_another_account(bool withFindingAid)
    {
        await _trail.AppendAsync(Rows, i => _trail.Entry("alice") with { Account = new AccountKey(i % 1_000 == 0 ? "other" : "default", "alice") });
        if (withFindingAid) await _trail.KeepAsync();

        var found = _trail.Find(new AuditFilter(Account: new AccountKey("other", "alice")));

        Assert.Equal(Rows / 1_000, found.Count);
        Assert.All(found, row => Assert.Equal("other", row.Tenant));
    }

    [Fact]
    public async Task Nothing_is_looked_through_that_an_index_could_skip()
    {
        await _trail.AppendAsync(Rows);
        await _trail.KeepAsync();

        var plans = _trail.Store.Read(session => new[]
        {
            AuditSearch.Rows, AuditSearch.SegmentsOfCaller, AuditSearch.SegmentsOfOutcome,
        }.Select(sql => PlanOf(session, sql)).ToArray());

        Assert.All(plans, plan => Assert.Contains("SEARCH", plan));
        Assert.All(plans, plan => Assert.DoesNotContain("SCAN", plan));
        Assert.All(plans, plan => Assert.DoesNotContain("TEMP B-TREE", plan));
        Assert.Contains("PRIMARY KEY (rowid>? AND rowid<?)", plans[0]);
    }

    private static string PlanOf(Session session, string sql)
    {
        var command = session.Command($"EXPLAIN QUERY PLAN {sql}");
        foreach (var name in new[] { "@account", "@tenant", "@caller", "@outcome", "@since", "@until", "@first", "@last" })
        {
            if (sql.Contains(name, StringComparison.Ordinal)) command.Bind(name, 1);
        }

        using var row = command.ExecuteReader();
        var steps = new List<string>();
        while (row.Read()) steps.Add(row.GetString(3));
        return string.Join('\n', steps);
    }
}
