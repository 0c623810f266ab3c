using System.Net.Http.Json;
using Grpc.Core;
using Mfa.Server.Callers;
using Mfa.Server.Web;
using Mfa.V1;
using Microsoft.Extensions.DependencyInjection;

namespace Mfa.Server.Tests.Services;

public sealed class DisableTests
{
    [Fact]
    public async Task The_mailed_token_switches_off_once_and_leaves_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var (key, pending) = await EnrolAsync(server, "alice");
        var asked = await server.Client.DisableAsync(new DisableRequest { Account = "alice" }, key);
        var token = await TokenAsync(server);
        var confirm = new ConfirmDisableRequest { Account = "alice", Token = token };

        var off = await server.Client.ConfirmDisableAsync(confirm, key);

        Assert.Equal("j***@e***.org", asked.Destination);
        Assert.Equal(server.Clock.GetUtcNow(), off.DisableTime.ToDateTimeOffset());
        Assert.Equal("Second factor switched off at MfaGrpc", (await server.Mailbox.NextAsync()).Subject);
        var status = await server.Client.GetStatusAsync(new GetStatusRequest { Account = "alice" }, key);
        Assert.Equal((State.Disabled, off.DisableTime, 0), (status.State, status.DisableTime, status.RecoveryCodesRemaining));
        await Refused.AsAsync(StatusCode.PermissionDenied, "TOKEN_REFUSED", async () => await server.Client.ConfirmDisableAsync(confirm, key));
        foreach (var code in new[] { Reference.Code(pending.Secret, server.Step + 1), pending.RecoveryCodes[0] })
        {
            await Refused.AsAsync(StatusCode.FailedPrecondition, "NOT_ENABLED",
                async () => await server.Client.VerifyAsync(new VerifyRequest { Account = "alice", Code = code }, key));
        }
    }

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, false)]
    public async Task A_token_lives_fifteen_minutes_and_not_longer(int milliseconds, bool accepted)
    {
        await using var server = await TestServer.StartAsync();
        var (key, _) = await EnrolAsync(server, "alice");
        await server.Client.DisableAsync(new DisableRequest { Account = "alice" }, key);
        var confirm = new ConfirmDisableRequest { Account = "alice", Token = await TokenAsync(server) };
        server.Clock.Advance(TimeSpan.FromMinutes(15) + TimeSpan.FromMilliseconds(milliseconds));

        if (accepted) Assert.NotNull((await server.Client.ConfirmDisableAsync(confirm, key)).DisableTime);
        else await Refused.AsAsync(StatusCode.PermissionDenied, "TOKEN_REFUSED", async () => await server.Client.ConfirmDisableAsync(confirm, key));
    }

    [Fact]
    public async Task Another_accounts_token_and_an_older_one_are_refused_and_the_owners_stays_good()
    {
        await using var server = await TestServer.StartAsync();
        var (key, _) = await EnrolAsync(server, "alice");
        await EnrolAsync(server, "bob", key);
        await server.Client.DisableAsync(new DisableRequest { Account = "alice" }, key);
        var older = await TokenAsync(server);
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        await server.Client.DisableAsync(new DisableRequest { Account = "alice" }, key);
        var newer = await TokenAsync(server);
        Func<string, string, Task> confirm = async (account, token) =>
            await server.Client.ConfirmDisableAsync(new ConfirmDisableRequest { Account = account, Token = token }, key);

        await Refused.AsAsync(StatusCode.PermissionDenied, "TOKEN_REFUSED", () => confirm("bob", newer));
        await Refused.AsAsync(StatusCode.PermissionDenied, "TOKEN_REFUSED", () => confirm("alice", older));
        await confirm("alice", newer);
    }

    [Fact]
    public async Task Of_thirty_two_at_once_with_one_token_one_wins()
    {
        await using var server = await TestServer.StartAsync();
        var (key, _) = await EnrolAsync(server, "alice");
        await server.Client.DisableAsync(new DisableRequest { Account = "alice" }, key);
        var confirm = new ConfirmDisableRequest { Account = "alice", Token = await TokenAsync(server) };

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 32).Select(async _ =>
        {
            try
            {
                await server.Client.ConfirmDisableAsync(confirm, key);
                return StatusCode.OK;
            }
            catch (RpcException refused)
            {
                return refused.StatusCode;
            }
        }));

        Assert.Single(outcomes, StatusCode.OK);
        Assert.Equal(31, outcomes.Count(code => code == StatusCode.PermissionDenied));
    }

    [Fact]
    public async Task A_token_has_one_spelling()
    {
        await using var server = await TestServer.StartAsync();
        var (key, _) = await EnrolAsync(server, "alice");
        await server.Client.DisableAsync(new DisableRequest { Account = "alice" }, key);
        var token = await TokenAsync(server);
        string[] others = ["", token[..^1], token + "=", token + "A", $" {token}", $"{token}\n", $"{token[..^1]}{NextInLastPlace(token[^1])}"];

        foreach (var other in others)
        {
            await Refused.FieldsAsync(["token"],
                async () => await server.Client.ConfirmDisableAsync(new ConfirmDisableRequest { Account = "alice", Token = other }, key));
        }

        Assert.Equal(State.Enabled, (await server.Client.GetStatusAsync(new GetStatusRequest { Account = "alice" }, key)).State);
    }

    [Fact]
    public async Task Without_an_address_there_is_nothing_to_mail_to()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var key = await server.KeyAsync(Scopes.Disable);

        await Refused.AsAsync(StatusCode.FailedPrecondition, "NO_EMAIL",
            async () => await server.Client.DisableAsync(new DisableRequest { Account = alice.Name }, key));
    }

    [Fact]
    public async Task The_page_switches_off_with_the_right_password_and_looking_at_it_does_not()
    {
        await using var server = await TestServer.StartAsync();
        var jane = await server.PersonAsync("jane", "correct horse");
        var pending = await server.Client.EnableAsync(new EnableRequest { Method = Method.Authenticator }, jane);
        await server.Client.VerifyAsync(
            new VerifyRequest { Code = Reference.Code(pending.Secret, server.Step), EnrollmentId = pending.EnrollmentId }, jane);
        await server.Client.DisableAsync(new DisableRequest(), jane);
        var token = await TokenAsync(server);
        using var http = new HttpClient { BaseAddress = server.Web };

        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head, HttpMethod.Options })
        {
            using var look = await http.SendAsync(new HttpRequestMessage(method, "/disable"));
            Assert.Contains("default-src 'none'", look.Headers.GetValues("Content-Security-Policy").Single());
        }

        var wrong = await PostAsync(http, new DisableForm("jane", "correct horsf", token));
        Assert.False(wrong.Done);
        Assert.Equal(State.Enabled, (await server.Client.GetStatusAsync(new GetStatusRequest(), jane)).State);
        Assert.True((await PostAsync(http, new DisableForm("jane", "correct horse", token))).Done);
        Assert.Equal(State.Disabled, (await server.Client.GetStatusAsync(new GetStatusRequest(), jane)).State);
        Assert.False((await PostAsync(http, new DisableForm("jane", "correct horse", token))).Done);
    }

    [Fact]
    public async Task A_services_mail_leads_to_the_services_own_page_and_otherwise_carries_the_token_alone()
    {
        await using var server = await TestServer.StartAsync("messages:disablePage=https://people.example.org/disable");
        var keys = server.Services.GetRequiredService<ApiKeys>();
        var scopes = Scopes.Verify | Scopes.Enroll | Scopes.Disable;
        var shop = await keys.CreateAsync("shop", "default", scopes, "https://shop.example.org/off");
        var blog = await keys.CreateAsync("blog", "default", scopes);
        await EnrolAsync(server, "alice", new Metadata { { "authorization", $"Bearer {shop}" } });
        await EnrolAsync(server, "bob", new Metadata { { "authorization", $"Bearer {blog}" } });

        await server.Client.DisableAsync(new DisableRequest { Account = "alice" }, new Metadata { { "authorization", $"Bearer {shop}" } });
        var linked = await MailWithTokenAsync(server);
        await server.Client.DisableAsync(new DisableRequest { Account = "bob" }, new Metadata { { "authorization", $"Bearer {blog}" } });
        var bare = await MailWithTokenAsync(server);

        Assert.Contains($"https://shop.example.org/off#{linked.Token}", linked.Text);
        Assert.DoesNotContain("https://", bare.Text);
    }

    [Fact]
    public async Task Asking_to_switch_off_again_and_again_mails_no_more_than_the_limits_allow()
    {
        await using var server = await TestServer.StartAsync();
        var (key, _) = await EnrolAsync(server, "alice");
        var before = server.Mailbox.Count;

        var refused = 0;
        for (var i = 0; i < 50; i++)
        {
            try
            {
                await server.Client.DisableAsync(new DisableRequest { Account = "alice" }, key);
            }
            catch (RpcException limit) when (limit.StatusCode == StatusCode.ResourceExhausted)
            {
                refused++;
            }

            server.Clock.Advance(TimeSpan.FromSeconds(30));
        }

        Assert.Equal(50 - 5, refused); // five an hour, and 25 minutes have passed
        for (var mails = 0; mails < 5; mails++) await MailWithTokenAsync(server);
        Assert.InRange(server.Mailbox.Count, before + 5, before + 6); // the notice of the enrollment may come late
    }

    private static async Task<DisableReply> PostAsync(HttpClient http, DisableForm form)
    {
        using var content = JsonContent.Create(form, DisableJson.Default.DisableForm);
        await content.LoadIntoBufferAsync(); // says its length
        using var answer = await http.PostAsync("/disable/confirm", content);
        return (await answer.Content.ReadFromJsonAsync(DisableJson.Default.DisableReply))!;
    }

    private static async Task<(Metadata Key, EnableResponse Enrollment)> EnrolAsync(TestServer server, string account, Metadata? key = null)
    {
        key ??= await server.KeyAsync(Scopes.Verify | Scopes.Enroll | Scopes.Disable);
        var pending = await server.Client.EnableAsync(
            new EnableRequest { Account = account, Method = Method.Authenticator, Email = "jane@example.org" }, key);
        await server.Client.VerifyAsync(
            new VerifyRequest { Account = account, Code = Reference.Code(pending.Secret, server.Step), EnrollmentId = pending.EnrollmentId }, key);
        return (key, pending);
    }

    private static async Task<string> TokenAsync(TestServer server) => (await MailWithTokenAsync(server)).Token;

    private static async Task<Mail> MailWithTokenAsync(TestServer server)
    {
        while (true)
        {
            if ((await server.Mailbox.NextAsync()) is { Token.Length: 43 } mail) return mail;
        }
    }

    /// <summary>The last of 43 symbols carries four bits: its neighbour decodes to the same bytes.</summary>
    private static char NextInLastPlace(char symbol)
    {
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        return Alphabet[Alphabet.IndexOf(symbol) + 1];
    }
}
