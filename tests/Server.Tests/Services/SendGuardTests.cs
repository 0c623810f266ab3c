using Grpc.Core;
using Mfa.V1;

namespace Mfa.Server.Tests.Services;

/// <summary>What keeps messages from being sent for somebody else's money or to somebody else's annoyance.</summary>
public sealed class SendGuardTests
{
    [Fact]
    public async Task A_destination_gets_ten_messages_a_day_whatever_the_account_and_the_spelling()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();
        for (var i = 0; i < 10; i++) await server.Client.EnableAsync(ByEmail($"account-{i}", i % 2 == 0 ? "eve@example.org" : "Eve@Example.ORG"), key);

        var refusal = await LimitAsync("destination_day", async () => await server.Client.EnableAsync(ByEmail("account-10", "eve@example.org"), key));

        Assert.Equal(State.Disabled, (await server.Client.GetStatusAsync(new GetStatusRequest { Account = "account-10" }, key)).State);
        server.Clock.Advance(refusal.RetryDelay()!.ToTimeSpan());
        await server.Client.EnableAsync(ByEmail("account-10", "eve@example.org"), key);
    }

    [Fact]
    public async Task A_caller_and_the_whole_server_have_a_budget_a_day()
    {
        await using var server = await TestServer.StartAsync("sends:perCallerDay=2", "sends:perDay=3");
        var (first, second) = (await server.KeyAsync(), await server.KeyAsync());
        for (var i = 0; i < 2; i++) await server.Client.EnableAsync(ByEmail($"a{i}", $"a{i}@example.org"), first);

        await LimitAsync("caller_day", async () => await server.Client.EnableAsync(ByEmail("a2", "a2@example.org"), first));
        await server.Client.EnableAsync(ByEmail("b0", "b0@example.org"), second);
        await LimitAsync("server_day", async () => await server.Client.EnableAsync(ByEmail("b1", "b1@example.org"), second));
    }

    [Fact]
    public async Task A_clock_that_goes_back_holds_no_messages_up()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();
        await server.Client.EnableAsync(ByEmail("before", "before@example.org"), key);

        server.Clock.AdjustTime(server.Clock.GetUtcNow() - TimeSpan.FromHours(26)); // and with it into other windows

        await server.Client.EnableAsync(ByEmail("after", "after@example.org"), key);
        await LimitAsync("account_interval", async () => await server.Client.EnableAsync(ByEmail("after", "after@example.org"), key)); // as ever
    }

    [Fact]
    public async Task The_switch_stops_codes_and_leaves_authenticators_alone()
    {
        await using var server = await TestServer.StartAsync("sends:enabled=false");
        var key = await server.KeyAsync();

        await LimitAsync("server_day", async () => await server.Client.EnableAsync(ByEmail("eve", "eve@example.org"), key));
        await EnrolledAccount.NewAsync(server, "alice", key);

        Assert.Equal(0, server.Mailbox.Count);
    }

    [Fact]
    public async Task Of_many_at_once_for_one_account_one_message_goes_out()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 32).Select(async _ =>
        {
            try
            {
                await server.Client.EnableAsync(ByEmail("eve", "eve@example.org"), key);
                return StatusCode.OK;
            }
            catch (RpcException refused)
            {
                return refused.StatusCode;
            }
        }));

        Assert.Single(outcomes, StatusCode.OK);
        await server.Mailbox.NextAsync();
        Assert.Equal(1, server.Mailbox.Count);
    }

    [Fact]
    public async Task Whoever_puts_a_new_factor_in_cannot_keep_the_old_address_from_hearing_of_it()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();
        var mine = await server.Client.EnableAsync(
            new EnableRequest { Account = "alice", Method = Method.Authenticator, Email = "alice@example.org" }, key);
        await ProveAsync(server, key, mine, server.Step - 1);
        Assert.Equal("alice@example.org", (await server.Mailbox.NextAsync()).To);

        var theirs = await server.Client.EnableAsync(new EnableRequest
        {
            Account = "alice",
            Method = Method.Authenticator,
            Email = "mallory@example.org",
            Code = Reference.Code(mine.Secret, server.Step),
        }, key);
        await ProveAsync(server, key, theirs, server.Step);

        var notice = await server.Mailbox.NextAsync();
        Assert.Equal(("alice@example.org", "Second factor replaced at MfaGrpc"), (notice.To, notice.Subject));
    }

    [Fact]
    public async Task A_muted_notice_is_not_sent()
    {
        await using var server = await TestServer.StartAsync("messages:mute=enabled,locked");
        var key = await server.KeyAsync();
        var pending = await server.Client.EnableAsync(
            new EnableRequest { Account = "alice", Method = Method.Authenticator, Email = "alice@example.org" }, key);
        await ProveAsync(server, key, pending, server.Step);
        await server.Client.VerifyAsync(new VerifyRequest { Account = "alice", Code = pending.RecoveryCodes[0] }, key);

        Assert.Equal("Recovery code used at MfaGrpc", (await server.Mailbox.NextAsync()).Subject);
        Assert.Equal(1, server.Mailbox.Count);
    }

    private static EnableRequest ByEmail(string account, string email) => new() { Account = account, Method = Method.Email, Email = email };

    private static async Task ProveAsync(TestServer server, Metadata key, EnableResponse pending, long step)
    {
        var answer = await server.Client.VerifyAsync(new VerifyRequest
        {
            Account = pending.Account,
            Code = Reference.Code(pending.Secret, step),
            EnrollmentId = pending.EnrollmentId,
        }, key);
        Assert.Equal(Verdict.Accepted, answer.Verdict);
    }

    private static async Task<Google.Rpc.Status> LimitAsync(string limit, Func<Task> call)
    {
        var status = await Refused.AsAsync(StatusCode.ResourceExhausted, "SEND_LIMIT", call);
        var info = status.Details.First(detail => detail.Is(Google.Rpc.ErrorInfo.Descriptor)).Unpack<Google.Rpc.ErrorInfo>();
        Assert.Equal(limit, info.Metadata["limit"]);
        return status;
    }
}
