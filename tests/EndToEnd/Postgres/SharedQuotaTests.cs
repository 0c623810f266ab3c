using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.EndToEnd.Quotas;
using Mfa.V1;

namespace Mfa.EndToEnd.Postgres;

/// <summary>Several servers on one database let a caller do what one of them would (TL11, TD12).</summary>
public sealed class SharedQuotaTests(PostgresCluster cluster)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task What_a_caller_used_up_on_one_server_is_used_up_on_the_others_and_after_a_start()
    {
        const int Burst = 500;
        string[] settings = ["quota:callsPerSecond=1", $"quota:callsBurst={Burst}"];
        var store = await cluster.NewDatabaseAsync();
        await using var servers = await SharedServers.StartAsync(store, 2, settings);
        Assert.InRange(await LetThroughAsync(servers.All[0], TimeSpan.Zero), Burst, 2 * Burst);

        // Alone it would let another 500 through, ten a second.
        Assert.InRange(await LetThroughAsync(servers.All[1], Pause), 0, Burst / 2);

        await using var late = await ServerProcess.StartBesideAsync(servers.All[0], [$"store:connection={store}", .. settings]);
        Assert.InRange(await LetThroughAsync(late, Pause), 0, Burst / 2);
    }

    [Fact]
    public async Task A_spray_over_three_servers_is_stopped_on_all_of_them_and_nobody_else_is()
    {
        var store = await cluster.NewDatabaseAsync();
        await using var servers = await SharedServers.StartAsync(store, 3, "spray:wrong=30", "spray:accounts=20", "spray:pauseSeconds=3600");
        var key = await ServerProgram.CreateKeyAsync(servers.All[0].Data, "attacker", "verify", store: store);
        var attackers = servers.All.Select(server => server.NewCaller(key)).ToArray();

        for (var i = 0; i < 30; i++)
        {
            var owner = await Owner.EnrolAsync(servers.Caller);
            Assert.Equal(Verdict.Rejected, (await attackers[i % 3].VerifyAsync(owner.Account, await owner.App.WrongCodeAsync())).Verdict);
        }

        // Ten wrong codes on each are a third of what one server alone would stop.
        foreach (var attacker in attackers) await Past.LimitAsync("spray", () => UntilLimitedAsync(attacker));
        var other = await Owner.EnrolAsync(servers.Caller);
        Assert.Equal(Verdict.Accepted, (await servers.All[2].Dev.VerifyAsync(other.Account, other.NextCode)).Verdict);
    }

    /// <returns>How many calls went through until one was turned away.</returns>
    private static async Task<int> LetThroughAsync(ServerProcess server, TimeSpan pause)
    {
        for (var count = 0; ; count++)
        {
            try
            {
                await server.Dev.GetStatusAsync("nobody");
            }
            catch (RpcException refused) when (refused.StatusCode == StatusCode.ResourceExhausted)
            {
                return count;
            }

            await Task.Delay(pause, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Guesses at an account without a factor, which count as no wrong codes, until a limit turns them away.</summary>
    private static async Task UntilLimitedAsync(Caller attacker)
    {
        for (var i = 0; i < 300; i++)
        {
            try
            {
                await attacker.VerifyAsync("nobody", "123456");
            }
            catch (RpcException refused) when (refused.StatusCode == StatusCode.FailedPrecondition)
            {
                await Task.Delay(Pause, TestContext.Current.CancellationToken);
            }
        }
    }
}
