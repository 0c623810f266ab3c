using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Postgres;

/// <summary>Three servers on one database: what one of them knows, all of them go by.</summary>
public sealed class ManyServersTests(ThreeServers three) : IClassFixture<ThreeServers>
{
    private SharedServers Servers => three.Servers;

    private Caller Caller => Servers.Caller;

    [Fact]
    public async Task No_more_guesses_are_looked_at_on_three_servers_than_on_one() // RR10
    {
        var callers = await Servers.CallersAsync(60);
        for (var round = 0; round < 5; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);
            var wrong = await owner.App.WrongCodesAsync(60);

            var outcomes = await Race.OutcomesAsync(callers, (caller, i) => caller.VerifyAsync(owner.Account, wrong[i]));

            Assert.InRange(outcomes.Count(outcome => outcome == nameof(Verdict.Rejected)), 1, 5);
            Assert.DoesNotContain(nameof(Verdict.Accepted), outcomes);
        }
    }

    [Fact]
    public async Task A_message_is_sent_by_one_server_and_a_revoked_key_is_refused_by_all_within_seconds()
    {
        var account = Owner.NewAccount();
        await Caller.EnableAsync(new EnableRequest { Account = account, Method = Method.Email, Email = account });
        await new Mailbox(Servers.All[0], account).CodeAsync();
        var box = Path.Combine(Servers.All[0].Data, "outbox");
        Assert.Single(Directory.GetFiles(box, "*.eml"), file => File.ReadAllText(file).Contains(account, StringComparison.Ordinal));

        string[] store = ["--store", three.Address];
        var made = await ServerProgram.RunAsync(["keys", "create", "shop", "--scopes", "verify", "--data", Servers.All[0].Data, .. store]);
        var key = made.Output.Trim();
        var callers = Servers.All.Select(server => server.NewCaller(key)).ToArray();
        foreach (var caller in callers) await caller.GetStatusAsync(account);
        Assert.Equal(0, (await ServerProgram.RunAsync(["keys", "revoke", "shop", "--data", Servers.All[1].Data, .. store])).ExitCode);

        foreach (var caller in callers) await UntilRefusedAsync(caller, account);
    }

    [Fact]
    public async Task The_trail_of_all_servers_is_whole_and_tells_of_every_verdict()
    {
        var owner = await Owner.EnrolAsync(Caller);
        foreach (var server in Servers.All)
            await server.NewCaller(Servers.All[0].DevKey).VerifyAsync(owner.Account, owner.UsedCode);

        string[] store = ["--data", Servers.All[2].Data, "--store", three.Address, "--output", "json"];
        var rows = await ServerProgram.RunAsync(["audit", "list", "--account", owner.Account, .. store]);
        var verify = await ServerProgram.RunAsync(["audit", "verify", .. store]);

        Assert.Equal(3, rows.Output.Split("\"outcome\": \"rejected\"").Length - 1);
        Assert.True(verify.ExitCode == 0, verify.Output + verify.Errors);
    }

    private static async Task UntilRefusedAsync(Caller caller, string account)
    {
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        while (System.Diagnostics.Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(30))
        {
            try
            {
                await caller.GetStatusAsync(account);
                await Task.Delay(100, TestContext.Current.CancellationToken); // the promise is a time: about a second
            }
            catch (RpcException refused) when (refused.StatusCode == StatusCode.Unauthenticated)
            {
                return;
            }
        }

        Assert.Fail("The key is still accepted.");
    }
}
