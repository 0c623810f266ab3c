using Mfa.Server.Domain;

namespace Mfa.Server.Delivery;

/// <summary>The providers, each used when it is configured.</summary>
internal sealed record ProviderOptions
{
    public SmtpOptions Smtp { get; init; } = new();

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
        if (providers.Smtp.Host.Length > 0)
        {
            if (EmailAddress.Parse(providers.Smtp.From) is null) throw new StartRefusedException($"Setting smtp:from: {EmailAddress.Accepted}.");
            if (providers.Smtp.User.Length > 0) SecretFile.Check("smtp:passwordFile", providers.Smtp.PasswordFile);
            if (providers.Smtp.CaFile.Length > 0 && !File.Exists(providers.Smtp.CaFile))
                throw new StartRefusedException($"Setting smtp:caFile: there is no file {providers.Smtp.CaFile}.");
            senders.Add(new SmtpSender(providers.Smtp, fromName));
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
