using System.Diagnostics;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Delivery;

/// <summary>Mail servers that are broken, badly set up or somebody else's.</summary>
public sealed class MailFaultTests
{
    [Fact]
    public async Task Without_STARTTLS_nothing_is_sent_in_clear() // DL11, DL13
    {
        await using var mail = await MailPeer.StartAsync("clear");
        await using var server = await mail.StartServerAsync();

        var owner = await Promptly.EnableAsync(server);
        await owner.DeliveryAsync(d => d is { State: DeliveryState.Queued, Attempts: >= 2 });

        Assert.Equal((0, 0, 0), (mail.Count("login"), mail.Count("recipient"), mail.Count("mail")));
        await mail.SetFaultAsync("none");
        await AssertDeliveredAsync(mail, owner);
    }

    [Theory]
    [InlineData(nameof(Certificates.OfAnotherAuthority), "localhost")]
    [InlineData(nameof(Certificates.For), "mail.example.org")]
    [InlineData(nameof(Certificates.ForOtherUse), "localhost")]
    [InlineData(nameof(Certificates.Expired), "localhost")]
    public async Task To_a_server_that_cannot_prove_its_name_nothing_is_sent(string kind, string host) // DL11, DL13
    {
        await using var mail = await MailPeer.StartAsync(certificates: kind switch
        {
            nameof(Certificates.For) => Certificates.For(host),
            nameof(Certificates.ForOtherUse) => Certificates.ForOtherUse(host),
            nameof(Certificates.Expired) => Certificates.Expired(host),
            _ => Certificates.OfAnotherAuthority(host),
        });
        await using var server = await mail.StartServerAsync();

        var owner = await Promptly.EnableAsync(server);
        await owner.DeliveryAsync(d => d is { State: DeliveryState.Queued, Attempts: >= 2 });

        Assert.Equal((0, 0, 0), (mail.Count("login"), mail.Count("recipient"), mail.Count("mail")));
    }

    [Fact]
    public async Task A_certificate_that_an_intermediate_vouches_for_is_good_when_both_are_sent()
    {
        await using var mail = await MailPeer.StartAsync(certificates: Certificates.WithIntermediate("localhost"));
        await using var server = await mail.StartServerAsync();

        await AssertDeliveredAsync(mail, await Promptly.EnableAsync(server));
    }

    [Fact]
    public async Task A_message_that_was_put_off_goes_out_later_and_once() // DL12
    {
        await using var mail = await MailPeer.StartAsync("busy");
        await using var server = await mail.StartServerAsync();

        var owner = await Promptly.EnableAsync(server);
        await AssertDeliveredAsync(mail, owner);

        Assert.Equal((1, 1), (mail.Count("busy"), mail.Count("mail")));
        Assert.Equal(2, (await owner.DeliveryAsync())?.Attempts ?? 2); // the code is used: nothing to tell any more
    }

    [Fact]
    public async Task A_message_that_is_refused_is_tried_again_with_pauses() // DL11
    {
        await using var mail = await MailPeer.StartAsync("refuse");
        await using var server = await mail.StartServerAsync();
        var since = Stopwatch.StartNew();

        var owner = await Promptly.EnableAsync(server);
        await mail.Program.EventsAsync("recipient", 3);

        Assert.True(since.Elapsed > TimeSpan.FromSeconds(2.9), $"three attempts within {since.Elapsed}"); // pauses of 1 and 2 seconds
        Assert.Equal(DeliveryState.Queued, (await owner.DeliveryAsync()).State);
        await mail.SetFaultAsync("none");
        await AssertDeliveredAsync(mail, owner);
    }

    [Fact]
    public async Task A_message_whose_taking_was_not_heard_goes_out_twice_under_one_name_and_its_code_counts_once() // DL12
    {
        await using var mail = await MailPeer.StartAsync("drop");
        await using var server = await mail.StartServerAsync();

        var owner = await Promptly.EnableAsync(server);
        var mails = await mail.MailsAsync(owner.To, 2);

        Assert.Equal(mails[0].Header("Message-ID"), mails[1].Header("Message-ID"));
        Assert.Equal(mails[0].Code, mails[1].Code);
        await owner.DeliveryAsync(d => d is { State: DeliveryState.Sent, Attempts: 2 });
        Assert.Equal(Verdict.Accepted, (await owner.FinishAsync(mails[0].Code)).Verdict);
        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, mails[1].Code)).Verdict);
    }

    [Fact]
    public async Task A_goodbye_without_an_answer_does_not_send_the_message_again() // DL12
    {
        await using var mail = await MailPeer.StartAsync("mute-goodbye");
        await using var server = await mail.StartServerAsync();

        var owner = await Promptly.EnableAsync(server);
        await owner.DeliveryAsync(d => d is { State: DeliveryState.Sent, Attempts: 1 });
        await mail.Program.EventsAsync("closed", 1);

        Assert.Equal(1, mail.Count("mail"));
    }

    [Fact]
    public async Task A_server_that_was_told_no_login_outlives_a_mail_server_that_wants_one()
    {
        await using var mail = await MailPeer.StartAsync(login: false);
        await using var server = await mail.StartServerAsync();

        var owner = await Promptly.EnableAsync(server);
        await owner.DeliveryAsync(d => d is { State: DeliveryState.Queued, Attempts: >= 2 });

        Assert.Equal(0, mail.Count("mail"));
    }

    [Fact]
    public async Task What_was_queued_when_the_server_was_killed_goes_out_and_one_code_counts() // DL12
    {
        const int Accounts = 20;
        await using var mail = await MailPeer.StartAsync("hang");
        await using var server = await mail.StartServerAsync();
        var owners = await Task.WhenAll(Enumerable.Range(0, Accounts).Select(_ => Promptly.EnableAsync(server)));
        await owners[0].AskAsync(); // its first message is still on its way: that code is void

        await server.KillAsync();
        await mail.StartAgainAsync();
        await server.StartAgainAsync();

        foreach (var owner in owners)
        {
            await owner.DeliveryAsync(d => d.State == DeliveryState.Sent);
            Assert.Equal(1, await mail.AcceptedCodesAsync(server, owner));
            Assert.InRange((await mail.MailsAsync(owner.To)).DistinctBy(m => m.Header("Message-ID")).Count(), 1, owner == owners[0] ? 2 : 1);
            Assert.InRange((await mail.MailsAsync(owner.To)).Length, 1, owner == owners[0] ? 4 : 2);
        }
    }

    [Fact]
    public async Task A_second_mail_server_takes_what_the_first_does_not()
    {
        await using var first = await MailPeer.StartAsync("clear");
        await using var second = await MailPeer.StartAsync();
        var spare = second.Settings.Where(s => s.StartsWith("smtp:", StringComparison.Ordinal)).Select(s => $"smtp2:{s[5..]}");
        await using var server = await first.StartServerAsync([.. spare]);

        await AssertDeliveredAsync(second, await Promptly.EnableAsync(server));

        Assert.Equal(0, first.Count("mail"));
    }

    private static async Task AssertDeliveredAsync(MailPeer mail, Recipient owner)
    {
        var delivered = await mail.MailAsync(owner.To);
        await owner.DeliveryAsync(d => d.State == DeliveryState.Sent);
        Assert.Equal(Verdict.Accepted, (await owner.FinishAsync(delivered.Code)).Verdict);
    }
}
