using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.V1;

namespace Mfa.EndToEnd.Postgres;

/// <summary>No rule hangs on how a database isolates transactions, or on what stands between it and its servers.</summary>
public sealed class IsolationTests(PostgresCluster cluster)
{
    private const int Rounds = 4;

    [Theory]
    [InlineData("repeatable read")]
    [InlineData("serializable")]
    public async Task One_code_counts_once_at(string isolation)
    {
        var address = await cluster.NewDatabaseAsync($"ALTER DATABASE {{database}} SET default_transaction_isolation = '{isolation}'");

        await AssertOnceAsync(address);
    }

    [Fact]
    public async Task One_code_counts_once_behind_a_pooler_that_lends_connections_by_transaction()
    {
        var address = await cluster.NewDatabaseAsync();
        await using var pooler = await Pooler.StartAsync(cluster);

        await AssertOnceAsync(address.Replace($"Port={cluster.Port}", $"Port={pooler.Port}", StringComparison.Ordinal));
    }

    private static async Task AssertOnceAsync(string address)
    {
        await using var servers = await SharedServers.StartAsync(address, 2);
        var callers = await servers.CallersAsync(32);
        for (var round = 0; round < Rounds; round++)
        {
            var owner = await Owner.EnrolAsync(servers.Caller);

            var outcomes = await Race.OutcomesAsync(callers, caller => caller.VerifyAsync(owner.Account, owner.NextCode));

            Assert.Single(outcomes, outcome => outcome == nameof(Verdict.Accepted));
            Assert.Equal(31, outcomes.Count(outcome => outcome is nameof(Verdict.Rejected) or nameof(Verdict.Locked) or nameof(StatusCode.Aborted)));
        }
    }
}
