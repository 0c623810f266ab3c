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

    public bool HasMail => Smtp.Host.Length + SecondSmtp.Host.Length > 0;

    public bool HasSms => Kannel.Url.Length + Twilio.Url.Length > 0;
}

/// <summary>Puts the ways out of the house together.</summary>
internal static class Senders
{
    private static readonly string[] NoticesOfTakeover = ["enabled", "replaced", "disabled"];

    /// <param name="mailbox">The folder of the development mailbox; null in production.</param>
    /// <exception cref="StartRefusedException">A provider is half configured.</exception>
    public static IReadOnlyList<ISender> From(ProviderOptions providers, string fromName, string? mailbox, TimeProvider clock)
    {
        if (mailbox is not null && (providers.HasMail || providers.HasSms))
            throw new StartRefusedException("--dev: codes go to a folder instead of to their owners, but a mail server or SMS gateway is configured. Leave out one of them.");
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

    /// <summary>
    /// Numbers are taken over at the shop of a phone company: an owner who has SMS alone to rely on must hear of it elsewhere
    /// (NIST SP 800-63B §3.2.9, restricted authenticators).
    /// </summary>
    public static (string Why, string Remedy)? SmsWarning(ProviderOptions providers, DeliveryOptions delivery)
    {
        if (!providers.HasSms) return null;
        if (!providers.HasMail)
        {
            return ("SMS without a mail server: owners get no notices, have no other way to be sent a code, and cannot switch off by themselves.",
                "Set smtp:host and smtp:from.");
        }

        string[] muted = [.. NoticesOfTakeover.Where(delivery.MutedNotices.Contains)];
        return muted.Length == 0 ? null
            : ($"SMS while notices are muted ({string.Join(", ", muted)}): owners do not hear of a factor that somebody else has changed.", "Take them out of messages:mute.");
    }
}
