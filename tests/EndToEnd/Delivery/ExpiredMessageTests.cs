using Mfa.V1;

namespace Mfa.EndToEnd.Delivery;

/// <summary>Messages that no provider took in time.</summary>
public sealed class ExpiredMessageTests
{
    [Fact]
    public async Task Nothing_is_sent_for_a_code_that_has_expired() // DL3, DL11
    {
        await using var mail = await MailPeer.StartAsync("clear");
        await using var provider = await SmsProvider.StartAsync(answer: 500);
        await using var server = await mail.StartServerAsync([.. provider.Settings, "messages:codeLifetimeSeconds=60"]);
        server.Secrets.Add(provider.Token);
        var (byMail, bySms) = (await Promptly.EnableAsync(server), await Recipient.EnableBySmsAsync(server, SmsTests.NewNumber()));

        await byMail.DeliveryAsync(d => d.State == DeliveryState.Failed);
        await bySms.DeliveryAsync(d => d.State == DeliveryState.Failed);
        await mail.SetFaultAsync("none");
        await provider.AnswerAsync(201);

        // Those of another account, whose messages came later, pass them by.
        var (laterByMail, laterBySms) = (await Promptly.EnableAsync(server), await Recipient.EnableBySmsAsync(server, SmsTests.NewNumber()));
        await mail.MailAsync(laterByMail.To);
        await provider.TextAsync(laterBySms.To);
        Assert.Equal((1, 1), (mail.Count("mail"), provider.Program.Events("sms").Length));
    }
}
