using System.Security.Cryptography;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Delivery;

/// <summary>Codes by SMS, through a real gateway and past one that is gone.</summary>
public sealed class SmsTests
{
    private static readonly string[] Free = ["sends:gapSeconds=0", "log:level=Trace", "messages:domain=mfa.example.org"];

    [Theory]
    [InlineData("en", "Acme", "text", "{0} is your Acme code, good for 5 minutes. Not you? Do not pass it on.\n\n@mfa.example.org #{0}")]
    [InlineData("fr", "Acme", "text", "{0} est votre code Acme, valable 5 minutes. Pas vous ? Ne le transmettez pas.\n\n@mfa.example.org #{0}")]
    [InlineData("fr-CA", "La Forêt œuvrée €", "ucs-2",
        "{0} est votre code La Forêt œuvrée €, valable 5 minutes. Pas vous ? Ne le transmettez pas.\n\n@mfa.example.org #{0}")]
    public async Task A_gateway_delivers_the_very_words_and_their_code_is_accepted(string locale, string issuer, string coding, string words) // DL17
    {
        await using var kannel = await Kannel.StartAsync();
        await using var server = await ServerProcess.StartInProductionAsync([.. Free, .. kannel.Settings, $"enrollment:issuer={issuer}"]);
        server.Secrets.Add(kannel.Password);
        var to = NewNumber();

        var owner = await Recipient.EnableBySmsAsync(server, to, locale);
        var sms = await kannel.SmsAsync(to);

        var code = sms.Text[..6];
        Assert.Equal(new Sms(to, coding, words.Replace("{0}", code, StringComparison.Ordinal)), sms);
        Assert.Equal(Verdict.Accepted, (await owner.FinishAsync(code)).Verdict);
        CodesInLogs.AssertNone(server, code);
    }

    [Fact]
    public async Task When_the_gateway_is_gone_the_second_provider_takes_over_and_nothing_is_lost() // DL11
    {
        await using var kannel = await Kannel.StartAsync();
        await using var provider = await SmsProvider.StartAsync();
        await using var server = await StartAsync(kannel, provider);
        var first = NewNumber();
        await Recipient.EnableBySmsAsync(server, first);
        await kannel.SmsAsync(first);

        await kannel.KillAsync();
        var codes = new List<string>();
        for (var i = 0; i < 10; i++)
        {
            var owner = await Promptly.RunAsync(() => Recipient.EnableBySmsAsync(server, NewNumber()));
            codes.Add((await provider.TextAsync(owner.To))[..6]);
            Assert.Equal(Verdict.Accepted, (await owner.FinishAsync(codes[^1])).Verdict);
        }

        Assert.Empty(provider.Program.Events("refused"));
        Assert.DoesNotContain(provider.Program.Events("sms"), e => e.GetProperty("to").GetString() == first);
        CodesInLogs.AssertNone(server, codes);
    }

    [Fact]
    public async Task When_every_provider_fails_the_message_waits_for_one_that_does_not() // DL11
    {
        await using var kannel = await Kannel.StartAsync();
        await using var provider = await SmsProvider.StartAsync(answer: 500);
        await using var server = await StartAsync(kannel, provider);
        await kannel.KillAsync();

        var owner = await Promptly.RunAsync(() => Recipient.EnableBySmsAsync(server, NewNumber()));
        await owner.DeliveryAsync(d => d is { State: DeliveryState.Queued, Attempts: >= 2 });
        await provider.AnswerAsync(201);

        var code = (await provider.TextAsync(owner.To))[..6];
        Assert.Equal(Verdict.Accepted, (await owner.FinishAsync(code)).Verdict);
        CodesInLogs.AssertNone(server, code);
    }

    [Fact]
    public async Task A_mail_server_that_hangs_holds_up_no_SMS() // DL11
    {
        await using var mail = await MailPeer.StartAsync("hang");
        await using var provider = await SmsProvider.StartAsync();
        await using var server = await mail.StartServerAsync(provider.Settings);
        server.Secrets.Add(provider.Token);
        await provider.TextAsync((await Recipient.EnableBySmsAsync(server, NewNumber())).To); // loads the tables of numbers
        for (var i = 0; i < 10; i++) await Promptly.EnableAsync(server);
        await mail.Program.EventsAsync("connected", 1);

        await Promptly.RunAsync(async () => await provider.TextAsync((await Recipient.EnableBySmsAsync(server, NewNumber())).To));
    }

    private static async Task<ServerProcess> StartAsync(Kannel kannel, SmsProvider provider)
    {
        var server = await ServerProcess.StartInProductionAsync([.. Free, .. kannel.Settings, .. provider.Settings, "sms:order=kannel,twilio"]);
        server.Secrets.Add(kannel.Password, provider.Token);
        return server;
    }

    internal static string NewNumber() => $"+1416{RandomNumberGenerator.GetInt32(200, 999)}{RandomNumberGenerator.GetInt32(2000, 9999)}";
}
