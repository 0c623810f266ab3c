using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Delivery;

/// <summary>A mail server and a server that sends through it, for all tests of a class.</summary>
public sealed class MailHouse : IAsyncLifetime
{
    /// <summary>A name that is markup to a browser, and not ASCII.</summary>
    public const string Issuer = "Société <script>alert(1)</script> & Fils";

    internal MailPeer Mail { get; private set; } = null!;

    internal ServerProcess Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Mail = await MailPeer.StartAsync();
        Server = await Mail.StartServerAsync($"enrollment:issuer={Issuer}");
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Mail.DisposeAsync();
    }
}

/// <summary>What a real mail server gets, read by parsers that share no code with the sender.</summary>
public sealed class MailTests(MailHouse house) : IClassFixture<MailHouse>
{
    [Fact]
    public async Task The_code_that_a_mail_server_took_is_accepted_once() // DL1
    {
        var owner = await Recipient.EnableByMailAsync(house.Server);
        var mail = await house.Mail.MailAsync(owner.To);
        await owner.DeliveryAsync(d => d is { State: DeliveryState.Sent, Attempts: 1 });

        Assert.Equal(Verdict.Accepted, (await owner.FinishAsync(mail.Code)).Verdict);

        Assert.Equal(Verdict.Rejected, (await house.Server.Dev.VerifyAsync(owner.Account, mail.Code)).Verdict);
        CodesInLogs.AssertNone(house.Server, mail.Code);
    }

    [Fact]
    public async Task A_newer_code_voids_the_one_before_it() // DL4
    {
        var owner = await Recipient.EnableByMailAsync(house.Server);
        var first = await house.Mail.MailAsync(owner.To);
        await owner.AskAsync();
        var second = (await house.Mail.MailsAsync(owner.To, 2))[1];

        Assert.NotEqual(first.Header("Message-ID"), second.Header("Message-ID"));
        if (first.Code != second.Code) Assert.Equal(Verdict.Rejected, (await owner.FinishAsync(first.Code)).Verdict);
        Assert.Equal(Verdict.Accepted, (await owner.FinishAsync(second.Code)).Verdict);
        CodesInLogs.AssertNone(house.Server, first.Code, second.Code);
    }

    [Fact]
    public async Task Login_and_recipients_are_told_under_TLS_alone_and_the_connection_is_closed() // DL13
    {
        await using var mail = await MailPeer.StartAsync();
        await using var server = await mail.StartServerAsync();

        var owner = await Recipient.EnableByMailAsync(server);
        await mail.MailAsync(owner.To);
        await mail.Program.EventsAsync("closed", 1);

        Assert.True(Assert.Single(mail.Program.Events("login")).GetProperty("encrypted").GetBoolean());
        Assert.True(mail.Program.Events("login")[0].GetProperty("right").GetBoolean());
        Assert.True(Assert.Single(mail.Program.Events("recipient")).GetProperty("encrypted").GetBoolean());
        Assert.Single(mail.Program.Events("goodbye"));
    }

    [Theory]
    [InlineData("en", "Your code for ")]
    [InlineData("fr-CA", "Votre code pour ")]
    public async Task A_mail_has_one_sender_one_recipient_and_the_same_words_twice(string locale, string subject) // DL10, DL17
    {
        var owner = await Recipient.EnableByMailAsync(house.Server, locale: locale);

        var mail = await house.Mail.MailAsync(owner.To);

        Assert.Empty(mail.Defects);
        Assert.Equal(["auto-submitted", "content-type", "date", "from", "message-id", "mime-version", "subject", "to"],
            mail.HeaderNames.Select(name => name.ToLowerInvariant()).Order(StringComparer.Ordinal));
        Assert.Equal([owner.To], mail.Recipients);
        Assert.Equal(owner.To, mail.Header("To"));
        Assert.Equal(MailPeer.From, mail.Sender);
        Assert.EndsWith($"<{MailPeer.From}>", mail.Header("From"), StringComparison.Ordinal);
        Assert.Contains("Fils", mail.Header("From"), StringComparison.Ordinal);
        Assert.Equal(subject + MailHouse.Issuer, mail.Header("Subject"));
        Assert.Equal("auto-generated", mail.Header("Auto-Submitted"));
        Assert.EndsWith("@mail.example.org>", mail.Header("Message-ID"), StringComparison.Ordinal);
        Assert.True(DateTimeOffset.TryParse(mail.Header("Date"), out var date));
        Assert.True((TimeProvider.System.GetUtcNow() - date).Duration() < TimeSpan.FromMinutes(5));

        Assert.Equal("multipart/alternative", mail.Type);
        Assert.Equal(["text/plain", "text/html"], mail.Parts);
        Assert.Equal(WordsOf(mail.Text), WordsOf(mail.Page));
        Assert.Contains(MailHouse.Issuer, mail.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("http", mail.Text, StringComparison.Ordinal); // no link for codes
        Assert.Empty(mail.Elements.Except(["html", "body", "p", "br"]));
    }

    [Theory]
    [InlineData("a.b_c-d+e@example.org")]
    [InlineData("RCPT+TO@evil.example")]
    [InlineData("--data@..@")]
    public async Task No_name_of_an_account_adds_a_header_or_a_recipient(string account) // DL8
    {
        var owner = await Recipient.EnableByMailAsync(house.Server, account: account);

        await AssertOneRecipientAsync(owner);
    }

    [Theory]
    [InlineData("!#$%&'*/=?^`{|}~")]
    [InlineData("a%evil.example")]
    [InlineData("user+tag=x/y")]
    public async Task Every_address_that_is_accepted_stays_one_address(string local) // DL8
    {
        var owner = await Recipient.EnableByMailAsync(house.Server, email: $"{local}@{Guid.NewGuid():N}.example.org");

        await AssertOneRecipientAsync(owner);
    }

    [Theory]
    [InlineData("a@example.org\r\nBcc: evil@example.org")]
    [InlineData("a@example.org\nRCPT TO:<evil@example.org>")]
    [InlineData("a@example.org\0")]
    [InlineData("a@example.org\u0085Bcc: evil@example.org")]
    [InlineData("a@example.org\u2028")]
    [InlineData("a@example.org, evil@example.org")]
    [InlineData("a@example.org> SIZE=1 <evil@example.org")]
    [InlineData("\"a b\"@example.org")]
    [InlineData("Jane <a@example.org>")]
    [InlineData("a@[127.0.0.1]")]
    [InlineData("jané@example.org")]
    public async Task What_is_not_one_plain_address_is_refused_and_nothing_is_sent(string email) // DL8
    {
        var before = house.Mail.Count("recipient");
        var request = new EnableRequest { Account = Recipient.NewAccount(), Method = Method.Email, Email = email };

        await Refused.ForFieldAsync("email", () => house.Server.Dev.EnableAsync(request));

        await AssertOneRecipientAsync(await Recipient.EnableByMailAsync(house.Server)); // was behind it in the queue
        Assert.Equal(before + 1, house.Mail.Count("recipient"));
    }

    [Fact]
    public async Task A_label_with_lines_of_its_own_is_refused() // DL8
    {
        var request = new EnableRequest
        {
            Account = Recipient.NewAccount(),
            Method = Method.Email,
            Email = "a@example.org",
            Label = "x\r\nBcc: evil@example.org",
        };

        await Refused.ForFieldAsync("label", () => house.Server.Dev.EnableAsync(request));
    }

    private async Task AssertOneRecipientAsync(Recipient owner)
    {
        var mail = await house.Mail.MailAsync(owner.To);
        Assert.Equal([owner.To], mail.Recipients);
        Assert.Equal(owner.To, mail.Header("To"));
        Assert.DoesNotContain("bcc", mail.HeaderNames, StringComparer.OrdinalIgnoreCase);
        Assert.DoesNotContain("cc", mail.HeaderNames, StringComparer.OrdinalIgnoreCase);
        Assert.Contains(owner.Account, mail.Text, StringComparison.Ordinal);
        Assert.Equal(WordsOf(mail.Text), WordsOf(mail.Page));
        Assert.Equal(Verdict.Accepted, (await owner.FinishAsync(mail.Code)).Verdict);
    }

    private static string[] WordsOf(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
