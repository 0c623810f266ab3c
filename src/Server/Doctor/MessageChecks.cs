using Mfa.Server.Delivery;

namespace Mfa.Server.Doctor;

/// <summary>Whether the server has ways to send what it promises to send.</summary>
internal static class MessageChecks
{
    public static Finding Providers(Patient patient, Settings settings)
    {
        var mailbox = patient.Dev ? Path.Combine(patient.Folder, "outbox") : null;
        var senders = Senders.From(settings.Providers, settings.Enrollment.Issuer, mailbox, patient.Clock);
        if (patient.Dev) return Finding.Ok($"messages are written to {mailbox}.");
        if (!settings.Delivery.Enabled) return Finding.Warn("sending is switched off.", "To switch it on again: sends:enabled=true");
        if (Senders.SmsWarning(settings.Providers, settings.Delivery) is { } sms) return Finding.Warn(sms.Why, sms.Remedy);
        return settings.Providers.HasMail
            ? Finding.Ok($"{string.Join(", ", senders.Select(s => s.Name))}.")
            : Finding.Warn(
                "no mail server: codes by EMAIL are refused, and owners get no notices and cannot switch off by themselves.",
                "Set smtp:host and smtp:from.");
    }
}
