using System.Diagnostics;
using System.Net;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Postgres;

/// <summary>The database goes away, also in the middle of a commit: no verdict that is not known to be saved.</summary>
public sealed class BrokenStoreTests(PostgresCluster cluster)
{
    [Fact]
    public async Task A_commit_whose_answer_is_lost_is_read_back_and_one_that_did_not_get_through_leaves_the_code_good() // ST9
    {
        var address = await cluster.NewDatabaseAsync();
        using var relay = new CommitRelay(cluster.Port);
        await using var server = await ServerProcess.StartAsync($"store:connection={Through(relay, address)}");
        var first = await Owner.EnrolAsync(server.Dev);
        var second = await Owner.EnrolAsync(server.Dev);

        relay.LoseAnswer(andStay: false);
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(first.Account, first.NextCode)).Verdict);
        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(first.Account, first.NextCode)).Verdict);

        relay.LoseCommit();
        var refused = await Assert.ThrowsAsync<RpcException>(() => server.Dev.VerifyAsync(second.Account, second.NextCode));
        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(second.Account, second.NextCode)).Verdict);
        await AssertWholeAsync(server, address);
    }

    [Fact]
    public async Task A_commit_that_nobody_can_read_back_gets_no_verdict_and_the_same_request_gets_it_later() // ST9
    {
        var address = await cluster.NewDatabaseAsync();
        using var relay = new CommitRelay(cluster.Port);
        await using var server = await ServerProcess.StartAsync($"store:connection={Through(relay, address)}");
        var owner = await Owner.EnrolAsync(server.Dev);
        var request = new VerifyRequest { Account = owner.Account, Code = owner.NextCode, RequestId = Guid.NewGuid().ToString() };

        relay.LoseAnswer(andStay: true);
        var refused = await Assert.ThrowsAsync<RpcException>(() => server.Dev.VerifyAsync(request));
        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        relay.Mend();

        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(request)).Verdict);
        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task While_the_database_is_down_servers_are_not_ready_and_refuse_and_they_come_back_by_themselves() // ST12
    {
        await using var own = new PostgresCluster();
        await using var server = await ServerProcess.StartAsync($"store:connection={await own.NewDatabaseAsync()}");
        var owner = await Owner.EnrolAsync(server.Dev);

        await own.StopAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await ReadinessAsync(server));
        var refused = await Assert.ThrowsAsync<RpcException>(() => server.Dev.VerifyAsync(owner.Account, owner.NextCode));
        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        Assert.Contains("RetryInfo", refused.Trailers.GetValueBytes("grpc-status-details-bin") is { } details ? System.Text.Encoding.Latin1.GetString(details) : "", StringComparison.Ordinal);

        await own.StartAsync();
        var begun = Stopwatch.GetTimestamp();
        while (await ReadinessAsync(server) != HttpStatusCode.OK)
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromMinutes(1), "It does not come back.");
            await Task.Delay(100, TestContext.Current.CancellationToken); // nothing tells but asking again
        }

        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task A_part_of_a_server_that_breaks_ends_it_as_failed_and_it_says_why()
    {
        var address = await cluster.NewDatabaseAsync();
        await using var server = await ServerProcess.StartAsync($"store:connection={address}");

        await cluster.RunAsync(new Npgsql.NpgsqlConnectionStringBuilder(address).Database!, """
            ALTER TABLE outbox ALTER channel TYPE text;
            INSERT INTO outbox (tenant, account, id, channel, create_time, expire_time, next_time, attempts, state, update_time)
            VALUES ('default', 'nobody', '', 'by pigeon', 0, 0, 9000000000000, 0, 1, 0)
            """);

        Assert.Equal(1, await server.EndedAsync());
        Assert.Contains(server.Lines, line => line.StartsWith("crit: ", StringComparison.Ordinal));
    }

    private static async Task<HttpStatusCode> ReadinessAsync(ServerProcess server)
    {
        using var web = new HttpClient();
        return (await web.GetAsync(new Uri(server.Web, "health/ready"), TestContext.Current.CancellationToken)).StatusCode;
    }

    private static async Task AssertWholeAsync(ServerProcess server, string address)
    {
        var verify = await ServerProgram.RunAsync("audit", "verify", "--data", server.Data, "--store", address);
        Assert.True(verify.ExitCode == 0, verify.Output + verify.Errors);
    }

    private string Through(CommitRelay relay, string address) =>
        address.Replace($"Port={cluster.Port}", $"Port={relay.Port}", StringComparison.Ordinal);
}
