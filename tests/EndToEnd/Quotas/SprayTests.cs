using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Quotas;

/// <summary>One guess at each of many accounts (TL11). The thresholds are a tenth of the usual ones, and so are the accounts.</summary>
public sealed class SprayTests
{
    [Fact]
    public async Task A_caller_that_guesses_once_at_each_of_many_accounts_is_stopped_and_told_of_once()
    {
        await using var server = await ServerProcess.StartAsync("spray:wrong=100", "spray:accounts=20", "spray:pauseSeconds=3600");
        using var attacker = server.NewCaller(await ServerProgram.CreateKeyAsync(server.Data, "attacker", "verify"));
        var owners = await EnrolAsync(server, 200);

        foreach (var owner in owners[..100])
            Assert.Equal(Verdict.Rejected, (await attacker.VerifyAsync(owner.Account, await owner.App.WrongCodeAsync())).Verdict);
        // Right codes, too: whether a guess hits is not told any more, nor is the code used up.
        foreach (var owner in owners[100..]) await Past.LimitAsync("spray", () => attacker.VerifyAsync(owner.Account, owner.NextCode));

        foreach (var owner in owners[100..110])
            Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        Assert.Equal(State.Enabled, (await attacker.GetStatusAsync(owners[0].Account)).State);
        await server.StopAsync();
        var told = Assert.Single(server.Lines, line => line.Contains("Spray", StringComparison.Ordinal));
        Assert.Contains("service:attacker of default", told, StringComparison.Ordinal);
        Assert.Contains("100 wrong codes for 100 accounts", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_spray_that_several_callers_share_stops_each_of_them_and_nobody_else()
    {
        await using var server = await ServerProcess.StartAsync("spray:wrong=100", "spray:accounts=20", "spray:total=30", "spray:pauseSeconds=3600");
        var attackers = new List<Caller>();
        for (var i = 0; i < 3; i++) attackers.Add(server.NewCaller(await ServerProgram.CreateKeyAsync(server.Data, $"attacker-{i}", "verify")));
        var owners = await EnrolAsync(server, 33);

        for (var i = 0; i < 33; i++)
        {
            // The thirtieth is what all together may; from then on a tenth of 100 stops one, at the next wrong code.
            var wrong = await owners[i].App.WrongCodeAsync();
            if (i == 32) await Past.LimitAsync("spray", () => attackers[2].VerifyAsync(owners[i].Account, wrong));
            else Assert.Equal(Verdict.Rejected, (await attackers[i % 3].VerifyAsync(owners[i].Account, wrong)).Verdict);
        }

        foreach (var attacker in attackers) await Past.LimitAsync("spray", () => attacker.VerifyAsync(owners[0].Account, owners[0].NextCode));
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owners[0].Account, owners[0].NextCode)).Verdict);
        await server.StopAsync();
        Assert.Single(server.Lines, line => line.Contains("Spray: all callers together", StringComparison.Ordinal));
        Assert.Equal(3, server.Lines.Count(line => line.Contains("Spray: service:attacker-", StringComparison.Ordinal)));
    }

    private static async Task<Owner[]> EnrolAsync(ServerProcess server, int count)
    {
        var owners = new Owner[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, _) => owners[i] = await Owner.EnrolAsync(server.Dev));
        return owners;
    }
}
