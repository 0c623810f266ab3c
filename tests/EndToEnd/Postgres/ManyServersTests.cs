using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Postgres;

/// <summary>Three servers on one PostgreSQL for all tests of a class.</summary>
public sealed class ThreeServers(PostgresCluster cluster) : IAsyncLifetime
{
    internal SharedServers Servers { get; private set; } = null!;

    internal string Address { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Address = await cluster.NewDatabaseAsync();
        Servers = await SharedServers.StartAsync(Address, 3);
    }

    public ValueTask DisposeAsync() => Servers.DisposeAsync();
}

/// <summary>Once means once over all servers: callers at the same moment, each on a connection of its own, spread over three.</summary>
public sealed class ManyServersTests(ThreeServers three) : IClassFixture<ThreeServers>
{
    private const string Accepted = nameof(Verdict.Accepted);

    /// <summary>What a loser of a race may hear. Aborted: others were faster three times running, and nothing was done.</summary>
    private static readonly string[] Lost = [nameof(Verdict.Rejected), nameof(Verdict.Locked), nameof(StatusCode.Aborted)];

    private SharedServers Servers => three.Servers;

    private Caller Caller => Servers.Caller;

    [Fact]
    public async Task Of_64_tries_with_one_right_code_exactly_one_is_accepted() // RR3
    {
        var callers = await Servers.CallersAsync(64);
        for (var round = 0; round < 10; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);

            var outcomes = await Race.OutcomesAsync(callers, caller => caller.VerifyAsync(owner.Account, owner.NextCode));

            Assert.Single(outcomes, outcome => outcome == Accepted);
            Assert.Equal(63, outcomes.Count(Lost.Contains));
        }
    }

    [Fact]
    public async Task Of_30_tries_with_one_recovery_code_exactly_one_is_accepted()
    {
        var callers = await Servers.CallersAsync(30);
        for (var round = 0; round < 5; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);

            var outcomes = await Race.OutcomesAsync(callers, caller => caller.VerifyAsync(owner.Account, owner.RecoveryCodes[round]));

            Assert.Single(outcomes, outcome => outcome == Accepted);
            Assert.Equal(29, outcomes.Count(Lost.Contains));
            Assert.Equal(7, (await Caller.GetStatusAsync(owner.Account)).RecoveryCodesRemaining);
        }
    }

    [Fact]
    public async Task Of_30_tries_with_one_sent_code_and_30_with_one_token_exactly_one_is_accepted()
    {
        var callers = await Servers.CallersAsync(30);
        var account = Owner.NewAccount();
        var mailbox = new Mailbox(Servers.All[0], account);
        var started = await Caller.EnableAsync(new EnableRequest { Account = account, Method = Method.Email, Email = account });
        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(account, await mailbox.CodeAsync(), started.EnrollmentId)).Verdict);
        await Caller.SendAsync("GetToken", new GetTokenRequest { Account = account });
        var code = await mailbox.CodeAsync();

        var outcomes = await Race.OutcomesAsync(callers, caller => caller.VerifyAsync(account, code));

        Assert.Single(outcomes, outcome => outcome == Accepted);
        Assert.Equal(29, outcomes.Count(Lost.Contains));

        await Caller.SendAsync("Disable", new DisableRequest { Account = account });
        var confirm = new ConfirmDisableRequest { Account = account, Token = await mailbox.TokenAsync() };
        var confirmed = await Race.RunAsync(callers, async caller =>
        {
            try
            {
                await caller.SendAsync("ConfirmDisable", confirm);
                return StatusCode.OK;
            }
            catch (RpcException refused)
            {
                return refused.StatusCode;
            }
        });
        Assert.Single(confirmed, outcome => outcome == StatusCode.OK);
        Assert.Equal(29, confirmed.Count(outcome => outcome is StatusCode.PermissionDenied or StatusCode.Aborted));
    }

    [Fact]
    public async Task One_request_repeated_on_all_servers_at_once_has_one_effect_and_one_answer()
    {
        var callers = await Servers.CallersAsync(24);
        for (var round = 0; round < 10; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);
            var id = Guid.NewGuid().ToString();

            var outcomes = await Race.OutcomesAsync(callers, caller => caller.VerifyAsync(owner.Account, owner.NextCode, requestId: id));

            Assert.Contains(Accepted, outcomes);
            Assert.All(outcomes, outcome => Assert.Contains(outcome, new[] { Accepted, nameof(StatusCode.Aborted) }));
            Assert.Equal(Accepted, (await Caller.VerifyAsync(owner.Account, owner.NextCode, requestId: id)).Verdict.ToString());
        }
    }

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
            Assert.DoesNotContain(Accepted, outcomes);
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
