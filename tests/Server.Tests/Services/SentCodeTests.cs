using Grpc.Core;
using Mfa.V1;

namespace Mfa.Server.Tests.Services;

public sealed class SentCodeTests
{
    private static readonly EnableRequest ByEmail = new() { Account = "eve", Method = Method.Email, Email = "eve@example.org" };

    [Fact]
    public async Task The_mailed_code_enrols_and_works_once()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();
        var pending = await server.Client.EnableAsync(ByEmail, key);
        var mail = await server.Mailbox.NextAsync();
        var verify = new VerifyRequest { Account = "eve", Code = mail.Code, EnrollmentId = pending.EnrollmentId };

        var first = await server.Client.VerifyAsync(verify, key);

        Assert.Equal("eve@example.org", mail.To);
        Assert.Equal(("e***@e***.org", "", ""), (pending.Destination, pending.Secret, pending.QrCodeSvg));
        Assert.Equal((Verdict.Accepted, Factor.Email), (first.Verdict, first.Factor));
        verify.EnrollmentId = "";
        Assert.Equal(Verdict.Rejected, (await server.Client.VerifyAsync(verify, key)).Verdict);
    }

    [Fact]
    public async Task A_new_code_voids_the_one_before_it_and_gives_no_new_guesses()
    {
        await using var server = await TestServer.StartAsync();
        var (key, _) = await EnrolAsync(server);
        var first = await SendAsync(server, key);
        for (var i = 0; i < 4; i++) Assert.Equal(4 - i, (await VerifyAsync(server, key, Other(first))).AttemptsRemaining);
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        var second = await SendAsync(server, key);

        var stale = await VerifyAsync(server, key, first == second ? Other(second) : first);

        Assert.Equal((Verdict.Rejected, 0), (stale.Verdict, stale.AttemptsRemaining));
        Assert.Equal(Verdict.Locked, (await VerifyAsync(server, key, second)).Verdict);
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Verdict.Accepted, (await VerifyAsync(server, key, second)).Verdict); // one wrong try of five is left to it
    }

    [Theory]
    [InlineData(-1, Verdict.Accepted)]
    [InlineData(0, Verdict.Rejected)]
    public async Task A_code_lives_five_minutes_and_not_longer(int milliseconds, Verdict expected)
    {
        await using var server = await TestServer.StartAsync();
        var (key, _) = await EnrolAsync(server);
        var code = await SendAsync(server, key);

        server.Clock.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromMilliseconds(milliseconds));

        Assert.Equal(expected, (await VerifyAsync(server, key, code)).Verdict);
    }

    [Fact]
    public async Task Thirty_two_at_once_with_one_code_let_one_in()
    {
        await using var server = await TestServer.StartAsync();
        var (key, _) = await EnrolAsync(server);
        var code = await SendAsync(server, key);

        var answers = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => VerifyAsync(server, key, code)));

        Assert.Single(answers, answer => answer.Verdict == Verdict.Accepted);
    }

    [Fact]
    public async Task An_account_gets_one_message_a_minute_and_five_an_hour()
    {
        await using var server = await TestServer.StartAsync();
        var (key, _) = await EnrolAsync(server); // the first of the hour, a minute ago
        var request = new GetTokenRequest { Account = "eve" };
        for (var i = 0; i < 4; i++)
        {
            await SendAsync(server, key);
            var early = await Refused.AsAsync(StatusCode.ResourceExhausted, "SEND_LIMIT", async () => await server.Client.GetTokenAsync(request, key));
            Assert.Equal(TimeSpan.FromSeconds(60), early.RetryDelay()!.ToTimeSpan());
            server.Clock.Advance(TimeSpan.FromSeconds(60));
        }

        var sent = server.Mailbox.Count;
        var late = await Refused.AsAsync(StatusCode.ResourceExhausted, "SEND_LIMIT", async () => await server.Client.GetTokenAsync(request, key));
        Assert.Contains("account_hour", late.Message);
        Assert.Equal(sent, server.Mailbox.Count);
        server.Clock.Advance(late.RetryDelay()!.ToTimeSpan());
        await SendAsync(server, key);
    }

    [Fact]
    public async Task A_repeated_request_sends_one_message()
    {
        await using var server = await TestServer.StartAsync();
        var (key, _) = await EnrolAsync(server);
        var request = new GetTokenRequest { Account = "eve", RequestId = Guid.NewGuid().ToString() };

        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(async _ => await server.Client.GetTokenAsync(request, key)));

        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        var (code, messages) = (await CodeAsync(server), server.Mailbox.Count);
        Assert.Equal(Verdict.Accepted, (await VerifyAsync(server, key, code)).Verdict);
        Assert.Equal(3, messages); // the first code, the notice of the enrollment, and this one
    }

    [Fact]
    public async Task An_SMS_goes_to_the_canonical_number_and_ends_with_the_line_that_phones_fill_in()
    {
        await using var server = await TestServer.StartAsync("messages:domain=login.example.org");
        var key = await server.KeyAsync();
        var pending = await server.Client.EnableAsync(new EnableRequest { Account = "sam", Method = Method.Sms, Phone = "(416) 555-0166" }, key);

        var sms = await server.Mailbox.NextAsync();

        Assert.Equal(("+14165550166", "+1 *** *** **66"), (sms.To, pending.Destination));
        Assert.EndsWith($"\n@login.example.org #{sms.Code}", sms.Text);
        var proven = await server.Client.VerifyAsync(new VerifyRequest { Account = "sam", Code = sms.Code, EnrollmentId = pending.EnrollmentId }, key);
        Assert.Equal((Verdict.Accepted, Factor.Sms), (proven.Verdict, proven.Factor));
    }

    [Theory]
    [InlineData("+447400123456")]
    [InlineData("+19005550123")]
    public async Task No_SMS_goes_abroad_unless_the_operator_says_so(string phone)
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();
        var request = new EnableRequest { Account = "sam", Method = Method.Sms, Phone = phone };

        var error = await Assert.ThrowsAsync<RpcException>(async () => await server.Client.EnableAsync(request, key));

        Assert.True(error.StatusCode is StatusCode.PermissionDenied or StatusCode.InvalidArgument);
        Assert.Equal(0, server.Mailbox.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("4165550166 ext 5")]
    [InlineData("1-800-FLOWERS")]
    [InlineData("+1+4165550166")]
    [InlineData("+1416555016٦")]
    [InlineData("+14165550166\n")]
    [InlineData("12345")]
    public async Task A_phone_with_two_readings_is_refused(string phone)
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();

        await Refused.FieldsAsync(["phone"], async () => await server.Client.EnableAsync(
            new EnableRequest { Account = "sam", Method = Method.Sms, Phone = phone }, key));
    }

    [Fact]
    public async Task An_authenticator_has_no_code_to_send()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);

        await Refused.AsAsync(StatusCode.FailedPrecondition, "METHOD_SENDS_NO_CODE",
            async () => await server.Client.GetTokenAsync(new GetTokenRequest { Account = alice.Name }, alice.Key));
        await Refused.AsAsync(StatusCode.FailedPrecondition, "NOT_ENABLED",
            async () => await server.Client.GetTokenAsync(new GetTokenRequest { Account = "nobody" }, alice.Key));
    }

    [Fact]
    public async Task The_owner_is_told_of_an_enrollment_a_used_recovery_code_and_a_lock()
    {
        await using var server = await TestServer.StartAsync("enrollment:issuer=Shop <b>");
        var (key, codes) = await EnrolAsync(server);
        Assert.Equal("Second factor switched on at Shop <b>", (await server.Mailbox.NextAsync()).Subject);

        await VerifyAsync(server, key, codes[0]);
        var used = await server.Mailbox.NextAsync();
        Assert.Contains("Codes left: 7", used.Text);
        Assert.Contains("Shop &lt;b&gt;", used.Html);
        Assert.DoesNotContain(codes[0], used.Text);

        for (var i = 0; i < 5; i++) await VerifyAsync(server, key, "000000");
        Assert.Equal("Second factor locked at Shop <b>", (await server.Mailbox.NextAsync()).Subject);
    }

    [Fact]
    public async Task Who_has_just_proven_the_old_factor_with_a_sent_code_need_not_wait_for_the_new_ones()
    {
        await using var server = await TestServer.StartAsync();
        var (key, _) = await EnrolAsync(server);
        var current = await SendAsync(server, key);

        var next = await server.Client.EnableAsync(new EnableRequest(ByEmail) { Email = "eve@example.com", Code = current }, key);

        var mail = await server.Mailbox.NextAsync();
        Assert.Equal("eve@example.com", mail.To);
        var proven = await server.Client.VerifyAsync(new VerifyRequest { Account = "eve", Code = mail.Code, EnrollmentId = next.EnrollmentId }, key);
        Assert.Equal(Verdict.Accepted, proven.Verdict);
    }

    /// <summary>Enrols by e-mail, a minute ago, so that the next message may go out; leaves the notice in the mailbox.</summary>
    private static async Task<(Metadata Key, IReadOnlyList<string> RecoveryCodes)> EnrolAsync(TestServer server)
    {
        var key = await server.KeyAsync();
        var pending = await server.Client.EnableAsync(ByEmail, key);
        var code = (await server.Mailbox.NextAsync()).Code;
        var proven = await server.Client.VerifyAsync(new VerifyRequest { Account = "eve", Code = code, EnrollmentId = pending.EnrollmentId }, key);
        Assert.Equal(Verdict.Accepted, proven.Verdict);
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        return (key, pending.RecoveryCodes);
    }

    private static async Task<string> SendAsync(TestServer server, Metadata key)
    {
        await server.Client.GetTokenAsync(new GetTokenRequest { Account = "eve" }, key);
        return await CodeAsync(server);
    }

    /// <summary>The next code in the mailbox, past any notices.</summary>
    private static async Task<string> CodeAsync(TestServer server)
    {
        while (true)
        {
            if ((await server.Mailbox.NextAsync()) is { Code.Length: 6 } mail) return mail.Code;
        }
    }

    private static async Task<VerifyResponse> VerifyAsync(TestServer server, Metadata key, string code) =>
        await server.Client.VerifyAsync(new VerifyRequest { Account = "eve", Code = code }, key);

    private static string Other(string code) => code == "000000" ? "111111" : "000000";
}
