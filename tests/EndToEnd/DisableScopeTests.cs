using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>Who may not switch a factor off cannot, not even with the mailed token (DI13).</summary>
public sealed class DisableScopeTests(DevServer server) : IClassFixture<DevServer>
{
    [Fact]
    public async Task A_service_without_the_scope_neither_asks_nor_confirms()
    {
        var dev = server.Process.Dev;
        var (account, address) = (Owner.NewAccount(), "owner@example.org");
        var request = new EnableRequest { Account = account, Method = Method.Authenticator, Email = address };
        await Owner.FinishAsync(dev, account, await dev.EnableAsync(request));
        await dev.SendAsync("Disable", new DisableRequest { Account = account });
        var confirm = new ConfirmDisableRequest { Account = account, Token = await new Mailbox(server.Process, address).TokenAsync() };

        foreach (var scopes in new[] { "verify,enroll", "admin" })
        {
            var key = await ServerProgram.CreateKeyAsync(server.Process.Data, $"key-{Guid.NewGuid():N}", scopes);
            var service = server.Process.NewCaller(key);
            await Refused.AsNotAllowedAsync(() => service.SendAsync("Disable", new DisableRequest { Account = account }));
            await Refused.AsNotAllowedAsync(() => service.SendAsync("ConfirmDisable", confirm));
        }

        Assert.Equal(State.Enabled, (await dev.GetStatusAsync(account)).State);
        await dev.SendAsync("ConfirmDisable", confirm); // nobody asked for a newer token, which would have voided this one
        Assert.Equal(State.Disabled, (await dev.GetStatusAsync(account)).State);
    }
}
