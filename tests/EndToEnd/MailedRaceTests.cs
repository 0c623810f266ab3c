using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>Codes and tokens that were sent, tried many times at once, and what asking for another one does not give.</summary>
public sealed class MailedRaceTests(ServerWithoutGap server) : IClassFixture<ServerWithoutGap>, IAsyncDisposable
{
    private const string Accepted = nameof(Verdict.Accepted);

    private Caller Caller => server.Process.Dev;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Caller));

    [Fact]
    public async Task Of_32_tries_with_one_sent_code_exactly_one_is_accepted() // RR9
    {
        var callers = await Race.CallersAsync(server.Process, 32);
        for (var round = 0; round < 5; round++)
        {
            var (account, mailbox) = await EnrolAsync();
            await Caller.SendAsync("GetToken", new GetTokenRequest { Account = account });
            var code = await mailbox.CodeAsync();

            var outcomes = await Race.OutcomesAsync(callers, caller => caller.VerifyAsync(account, code));

            Assert.Single(outcomes, outcome => outcome == Accepted);
            Assert.Equal(31, outcomes.Count(outcome => outcome is nameof(Verdict.Rejected) or nameof(Verdict.Locked)));
        }
    }

    [Fact]
    public async Task Of_32_tries_with_one_token_exactly_one_switches_off() // RR9, DI2
    {
        var callers = await Race.CallersAsync(server.Process, 32);
        var (account, mailbox) = await EnrolAsync();
        await Caller.SendAsync("Disable", new DisableRequest { Account = account });
        var confirm = new ConfirmDisableRequest { Account = account, Token = await mailbox.TokenAsync() };

        var outcomes = await Race.RunAsync(callers, async caller =>
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

        Assert.Single(outcomes, outcome => outcome == StatusCode.OK);
        Assert.Equal(31, outcomes.Count(outcome => outcome == StatusCode.PermissionDenied));
        Assert.Equal(State.Disabled, (await Caller.GetStatusAsync(account)).State);
    }

    [Fact]
    public async Task A_new_code_between_guesses_gives_no_new_guesses() // TL3
    {
        var (account, mailbox) = await EnrolAsync();
        await Caller.SendAsync("GetToken", new GetTokenRequest { Account = account });
        var first = await mailbox.CodeAsync();
        var wrong = first[0] == '0' ? "1" + first[1..] : "0" + first[1..];

        for (var left = 4; left > 0; left--) Assert.Equal(left, (await Caller.VerifyAsync(account, wrong)).AttemptsRemaining);
        await Caller.SendAsync("GetToken", new GetTokenRequest { Account = account });
        var second = await mailbox.CodeAsync();
        var last = await Caller.VerifyAsync(account, second == wrong ? first : wrong);

        Assert.Equal((Verdict.Rejected, 0), (last.Verdict, last.AttemptsRemaining));
        Assert.Equal(Verdict.Locked, (await Caller.VerifyAsync(account, second)).Verdict);
    }

    private async Task<(string Account, Mailbox Mailbox)> EnrolAsync()
    {
        var account = Owner.NewAccount();
        var address = $"{Guid.NewGuid():N}@example.org";
        var mailbox = new Mailbox(server.Process, address);
        var started = await Caller.EnableAsync(new EnableRequest { Account = account, Method = Method.Email, Email = address });
        var reply = await Caller.VerifyAsync(account, await mailbox.CodeAsync(), started.EnrollmentId);
        Assert.Equal(Verdict.Accepted, reply.Verdict);
        return (account, mailbox);
    }
}
