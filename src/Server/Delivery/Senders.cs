using Mfa.Server.Domain;

namespace Mfa.Server.Delivery;

/// <summary>The providers, each used when it is configured.</summary>
internal sealed record ProviderOptions
{
    public SmtpOptions Smtp { get; init; } = new();

    /// <summary>A second mail server, tried when the first does not take a message.</summary>
    public SmtpOptions SecondSmtp { get; init; } = new();

    public KannelOptions Kannel { get; init; } = new();

    public TwilioOptions Twilio { get; init; } = new();

    /// <summary>The order in which SMS providers are tried.</summary>
    /// <value>kannel and twilio, separated by a comma. Default: kannel, then twilio.</value>
    public IReadOnlyList<string> SmsOrder { get; init; } = ["kannel", "twilio"];
}

/// <summary>Puts the ways out of the house together.</summary>
internal static class Senders
{
    /// <param name="mailbox">The folder of the development mailbox; null in production.</param>
    /// <exception cref="StartRefusedException">A provider is half configured.</exception>
    public static IReadOnlyList<ISender> From(ProviderOptions providers, string fromName, string? mailbox, TimeProvider clock)
    {
        if (mailbox is not null) return [new FolderSender(Channel.Email, mailbox, clock), new FolderSender(Channel.Sms, mailbox, clock)];

        var senders = new List<ISender>();
        foreach (var (section, smtp) in new[] { ("smtp", providers.Smtp), ("smtp2", providers.SecondSmtp) })
        {
            if (smtp.Host.Length == 0) continue;
            if (smtp.From.Length == 0) throw new StartRefusedException($"Setting {section}:from is missing: {EmailAddress.Accepted}.");
            if (smtp.User.Length > 0) SecretFile.Check($"{section}:passwordFile", smtp.PasswordFile);
            if (smtp.CaFile.Length > 0 && !File.Exists(smtp.CaFile))
                throw new StartRefusedException($"Setting {section}:caFile: there is no file {smtp.CaFile}.");
            senders.Add(new SmtpSender(smtp, section, fromName));
        }

        // One for all: it keeps connections. The system's own tracing of HTTP would write addresses down, and an address can hold a code.
        var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, ActivityHeadersPropagator = null });
        foreach (var name in providers.SmsOrder)
        {
            if (name == "kannel" && providers.Kannel.Url.Length > 0)
            {
                SecretFile.Check("kannel:passwordFile", providers.Kannel.PasswordFile);
                senders.Add(new KannelSender(providers.Kannel, http));
            }

            if (name == "twilio" && providers.Twilio.Url.Length > 0)
            {
                SecretFile.Check("twilio:tokenFile", providers.Twilio.TokenFile);
                senders.Add(new TwilioSender(providers.Twilio, http));
            }
        }

        return senders;
    }
}
