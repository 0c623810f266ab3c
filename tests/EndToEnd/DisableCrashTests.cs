using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>Switching off is done entirely or not at all, whenever the server dies.</summary>
public sealed class DisableCrashTests
{
    [Fact]
    public async Task What_was_switched_off_right_before_a_crash_stays_off()
    {
        await using var server = await ServerProcess.StartAsync("sends:gapSeconds=0");
        var (owner, confirm) = await AskAsync(server);
        await server.Dev.SendAsync("ConfirmDisable", confirm);

        await server.KillAsync();
        await server.StartAgainAsync();

        await AssertOffAsync(server, owner, confirm);
    }

    [Fact]
    public async Task A_crash_in_the_middle_leaves_it_on_with_its_token_or_off_with_nothing() // DI14
    {
        await using var server = await ServerProcess.StartAsync("sends:gapSeconds=0");
        for (var round = 0; round < 6; round++)
        {
            var (owner, confirm) = await AskAsync(server);
            var confirming = server.Dev.SendAsync("ConfirmDisable", confirm);
            for (var turn = 0; turn < 20 * round; turn++) await Task.Yield(); // another moment each round

            await server.KillAsync();
            await Record.ExceptionAsync(() => confirming);
            await server.StartAgainAsync();

            var state = (await server.Dev.GetStatusAsync(owner.Account)).State;
            if (state == State.Enabled)
            {
                Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);
                await server.Dev.SendAsync("ConfirmDisable", confirm);
            }

            await AssertOffAsync(server, owner, confirm);
        }
    }

    private static async Task<(Owner Owner, ConfirmDisableRequest Confirm)> AskAsync(ServerProcess server)
    {
        var account = Owner.NewAccount();
        var address = $"{Guid.NewGuid():N}@example.org";
        var request = new EnableRequest { Account = account, Method = Method.Authenticator, Email = address };
        var owner = await Owner.FinishAsync(server.Dev, account, await server.Dev.EnableAsync(request));
        await server.Dev.SendAsync("Disable", new DisableRequest { Account = account });
        return (owner, new ConfirmDisableRequest { Account = account, Token = await new Mailbox(server, address).TokenAsync() });
    }

    private static async Task AssertOffAsync(ServerProcess server, Owner owner, ConfirmDisableRequest confirm)
    {
        Assert.Equal(State.Disabled, (await server.Dev.GetStatusAsync(owner.Account)).State);
        await Refused.AsAsync(Grpc.Core.StatusCode.PermissionDenied, ErrorReason.TokenRefused, () => server.Dev.SendAsync("ConfirmDisable", confirm));
        await Refused.AsAsync(Grpc.Core.StatusCode.FailedPrecondition, ErrorReason.NotEnabled,
            () => server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[1]));
    }
}
