using Grpc.Core;
using Grpc.Net.Client;
using Mfa.EndToEnd.Calls;
using Mfa.Torture;
using Mfa.V1;

namespace Mfa.EndToEnd.Postgres;

/// <summary>Two servers behind nginx, and clients that repeat calls as they are told to (docs/clients/retry.json).</summary>
public sealed class BalancedServersTests(PostgresCluster cluster)
{
    private const int Owners = 160;
    private const int AtOnce = 16;

    [Fact]
    public async Task A_server_that_is_killed_under_load_costs_no_caller_a_wrong_answer_and_no_call_a_second_effect()
    {
        await using var servers = await SharedServers.StartAsync(await cluster.NewDatabaseAsync(), 2, Torment.Unlimited);
        await using var nginx = await Nginx.StartAsync(servers.All[0].Grpc, servers.All[1].Grpc);
        var owners = new List<Owner>();
        for (var i = 0; i < Owners; i++) owners.Add(await Owner.EnrolAsync(servers.Caller));
        var requests = owners.ConvertAll(owner => new VerifyRequest { Account = owner.Account, Code = owner.NextCode, RequestId = Guid.NewGuid().ToString() });
        var key = new Metadata { { "authorization", $"Bearer {servers.All[0].DevKey}" } };
        using var channel = GrpcChannel.ForAddress(nginx.Address, new GrpcChannelOptions { ServiceConfig = ShippedRetries.Config() });
        var client = new MfaService.MfaServiceClient(channel);
        var (sent, killed) = (0, Task.CompletedTask);

        var answers = new VerifyResponse[Owners];
        await Parallel.ForAsync(0, Owners, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, ct) =>
        {
            if (Interlocked.Increment(ref sent) == Owners / 3) killed = servers.All[1].KillAsync(); // others are underway
            answers[i] = await client.VerifyAsync(requests[i], key, cancellationToken: ct);
        });
        await killed;

        Assert.All(answers, answer => Assert.Equal(Verdict.Accepted, answer.Verdict));
        for (var i = 0; i < Owners; i++)
        {
            Assert.Equal(answers[i], await client.VerifyAsync(requests[i], key));
            var again = await servers.Caller.VerifyAsync(owners[i].Account, owners[i].NextCode);
            Assert.Equal((Verdict.Rejected, 4), (again.Verdict, again.AttemptsRemaining)); // used once, and guessed at once
        }
    }
}
