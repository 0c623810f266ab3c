using System.Collections.Concurrent;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Audit;

/// <summary>The trail and what callers were told are the same story (SE12).</summary>
public sealed class CompletenessTests
{
    private const int Callers = 8;
    private const int Rounds = 4;

    [Fact]
    public async Task Every_answer_that_callers_wrote_down_is_a_row_and_every_row_is_an_answer()
    {
        await using var server = await ServerProcess.StartAsync();
        var told = new ConcurrentBag<(string Account, string Act, string Outcome, string Reason)>();
        var callers = await Race.CallersAsync(server, Callers);
        var shared = await Owner.EnrolAsync(server.Dev); // all of them guess at this one, too
        Told(shared.Account, "enable", "done");
        Told(shared.Account, "finish_enrollment", "accepted");

        await Race.RunAsync(callers, async (caller, i) =>
        {
            for (var round = 0; round < Rounds; round++) await LiveAsync(caller, $"account-{i}-{round}");
            return true;
        });

        var rows = await Trail.ListAsync(server, "--caller", "service:dev");
        var expected = told.GroupBy(call => call).ToDictionary(calls => calls.Key, calls => calls.Count());
        var found = rows.Where(row => row.Act is not ("send" or "lock")).GroupBy(row => (row.Account, row.Act, row.Outcome, Reason(row)))
            .ToDictionary(same => same.Key, same => same.Count());
        Assert.Equal(expected.OrderBy(pair => pair.Key), found.OrderBy(pair => pair.Key));
        Assert.All(rows, row => Assert.Equal(("127.0.0.1", 1), (row.Peer, row.Calls)));
        await Trail.AssertWholeAsync(server);

        async Task LiveAsync(Caller caller, string account)
        {
            await RefusedAsync(() => caller.VerifyAsync(account, "123456"), account, "verify", "not_enabled");
            var owner = await Owner.EnrolAsync(caller, account);
            Told(account, "enable", "done");
            Told(account, "finish_enrollment", "accepted");
            await VerifyAsync(caller, account, owner.NextCode);
            await VerifyAsync(caller, account, owner.NextCode);
            await VerifyAsync(caller, account, await owner.App.WrongCodeAsync());
            await VerifyAsync(caller, account, owner.RecoveryCodes[0]);
            await VerifyAsync(caller, shared.Account, await shared.App.WrongCodeAsync());
            await RefusedAsync(() => caller.EnableAsync(account), account, "enable", "already_enabled");
            await caller.RegenerateRecoveryCodesAsync(account, owner.RecoveryCodes[1]);
            Told(account, "regenerate_recovery_codes", "done");
        }

        async Task VerifyAsync(Caller caller, string account, string code) =>
            Told(account, "verify", (await caller.VerifyAsync(account, code)).Verdict.ToString().ToLowerInvariant());

        async Task RefusedAsync(Func<Task> call, string account, string act, string reason)
        {
            await Assert.ThrowsAsync<RpcException>(call);
            Told(account, act, "refused", reason);
        }

        void Told(string account, string act, string outcome, string reason = "") => told.Add((account, act, outcome, reason));

        // Why a code was rejected is the trail's secret: callers cannot compare it.
        static string Reason(TrailRow row) => row.Outcome == "refused" ? row.Reason : "";
    }

    [Fact]
    public async Task What_was_told_before_a_crash_is_on_record_and_the_trail_is_whole()
    {
        await using var server = await ServerProcess.StartAsync();
        var owner = await Owner.EnrolAsync(server.Dev);
        for (var round = 0; round < 5; round++)
        {
            var requestId = Guid.NewGuid();
            await server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[round], requestId: requestId.ToString());

            await server.KillAsync();

            var row = Assert.Single(await Trail.ListAsync(server, "--account", owner.Account), row => row.Reference == requestId);
            Assert.Equal(("verify", "accepted", "recovery_code"), (row.Act, row.Outcome, row.Factor));
            await Trail.AssertWholeAsync(server);
            await server.StartAgainAsync();
        }
    }

    [Fact]
    public async Task A_trail_is_whole_at_every_moment_of_a_load()
    {
        await using var server = await ServerProcess.StartAsync();
        var owner = await Owner.EnrolAsync(server.Dev);
        var callers = await Race.CallersAsync(server, Callers);
        var done = 0;

        var load = Race.RunAsync(callers, async (caller, _) =>
        {
            while (Volatile.Read(ref done) == 0) await caller.VerifyAsync(owner.Account, "000000");
            return true;
        });
        try
        {
            for (var i = 0; i < 3; i++) await Trail.AssertWholeAsync(server);
        }
        finally
        {
            Volatile.Write(ref done, 1);
        }

        await load;
        await Trail.AssertWholeAsync(server);
    }

    [Fact]
    public async Task Operators_and_refused_callers_are_on_record()
    {
        await using var server = await ServerProcess.StartAsync();
        var key = await ServerProgram.CreateKeyAsync(server.Data, "shop", "verify");
        await ServerProgram.RevokeKeyAsync(server.Data, "shop");
        await Refused.AsUnauthenticatedAsync(() => server.NewCaller(key).GetStatusAsync("a"));

        var rows = await Trail.ListAsync(server);

        Assert.Equal(3, rows.Count(row => row.Caller == $"operator:{Environment.UserName}")); // the dev key, and the two verbs
        Assert.Single(rows, row => row is { Act: "get_status", Outcome: "refused", Reason: "unauthenticated", Caller: "", Peer: "127.0.0.1" });
        await Trail.AssertWholeAsync(server);
    }
}
