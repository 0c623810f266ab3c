using System.Globalization;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Postgres;

/// <summary>
/// Once means once over all servers: 64 callers at the same moment, each on a connection of its own, spread over two and over three.
/// MFA_TEST_ROUNDS says how often each race is run; `make races` has a hundred.
/// </summary>
public sealed class SpreadRaceTests(ThreeServers three) : IClassFixture<ThreeServers>
{
    private const string Accepted = nameof(Verdict.Accepted);

    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("MFA_TEST_ROUNDS") is { Length: > 0 } set ? set : "4", CultureInfo.InvariantCulture);

    /// <summary>What a loser of a race may hear. Aborted: others were faster three times running, and nothing was done.</summary>
    private static readonly string[] Lost = [nameof(Verdict.Rejected), nameof(Verdict.Locked), nameof(StatusCode.Aborted)];

    private Caller Caller => three.Servers.Caller;

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Of_64_tries_with_one_right_code_exactly_one_is_accepted(int servers) // RR3
    {
        var callers = await CallersAsync(servers);
        for (var round = 0; round < Rounds; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);

            AssertOne(await Race.OutcomesAsync(callers, caller => caller.VerifyAsync(owner.Account, owner.NextCode)));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Of_64_tries_with_one_recovery_code_exactly_one_is_accepted(int servers)
    {
        var callers = await CallersAsync(servers);
        for (var round = 0; round < Rounds; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);

            AssertOne(await Race.OutcomesAsync(callers, caller => caller.VerifyAsync(owner.Account, owner.RecoveryCodes[round % 8])));
            Assert.Equal(7, (await Caller.GetStatusAsync(owner.Account)).RecoveryCodesRemaining);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Of_64_tries_with_one_sent_code_and_with_one_token_exactly_one_is_accepted(int servers)
    {
        var callers = await CallersAsync(servers);
        for (var round = 0; round < Rounds; round++)
        {
            var account = Owner.NewAccount();
            var mailbox = new Mailbox(three.Servers.All[0], account);
            var started = await Caller.EnableAsync(new EnableRequest { Account = account, Method = Method.Email, Email = account });
            Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(account, await mailbox.CodeAsync(), started.EnrollmentId)).Verdict);
            await Caller.SendAsync("GetToken", new GetTokenRequest { Account = account });
            var code = await mailbox.CodeAsync();

            AssertOne(await Race.OutcomesAsync(callers, caller => caller.VerifyAsync(account, code)));

            await Caller.SendAsync("Disable", new DisableRequest { Account = account });
            var confirm = new ConfirmDisableRequest { Account = account, Token = await mailbox.TokenAsync() };
            var confirmed = await Race.RunAsync(callers, caller => StatusOfAsync(caller.SendAsync("ConfirmDisable", confirm)));
            Assert.Single(confirmed, outcome => outcome == StatusCode.OK);
            Assert.Equal(callers.Length - 1, confirmed.Count(outcome => outcome is StatusCode.PermissionDenied or StatusCode.Aborted));
            Assert.Equal(State.Disabled, (await Caller.GetStatusAsync(account)).State);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task One_request_sent_64_times_has_one_effect_and_one_answer(int servers)
    {
        var callers = await CallersAsync(servers);
        for (var round = 0; round < Rounds; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);
            var id = Guid.NewGuid().ToString();

            var answers = await Race.RunAsync(callers, caller => caller.VerifyAsync(owner.Account, owner.RecoveryCodes[0], requestId: id));

            Assert.Equal((Verdict.Accepted, 7), (answers[0].Verdict, answers[0].RecoveryCodesRemaining));
            Assert.All(answers, answer => Assert.Equal(answers[0], answer));
            Assert.Equal(answers[0], await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[0], requestId: id));
            Assert.Equal(7, (await Caller.GetStatusAsync(owner.Account)).RecoveryCodesRemaining);
        }
    }

    private Task<Caller[]> CallersAsync(int servers) => three.Servers.CallersAsync(64, servers);

    private static void AssertOne(string[] outcomes)
    {
        Assert.Single(outcomes, outcome => outcome == Accepted);
        Assert.Equal(outcomes.Length - 1, outcomes.Count(Lost.Contains));
    }

    private static async Task<StatusCode> StatusOfAsync(Task<byte[]> call)
    {
        try
        {
            await call;
            return StatusCode.OK;
        }
        catch (RpcException refused)
        {
            return refused.StatusCode;
        }
    }
}
