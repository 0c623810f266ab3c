using Mfa.Server.Delivery;

namespace Mfa.Server.Doctor;

/// <summary>All that is looked at, in the order in which an operator would mend it.</summary>
internal static class Checkup
{
    public static IEnumerable<Check> Of(Patient patient)
    {
        var database = new DatabaseChecks(patient);
        List<Check> checks =
        [
            Check.Of("settings", () => patient.Refused is { } refused ? Finding.Fail(refused) : Finding.Ok("all understood.")),
            Check.Of("data folder", () => FolderChecks.Folder(patient)),
            Check.Of("files", () => FolderChecks.Files(patient)),
            Check.Of("development", () => FolderChecks.Development(patient)),
            Check.Of("key ring", () => KeyRingCheck.Ring(patient)),
            .. patient.Settings is { Store.Length: > 0 } shared ? OfShared(new PostgresChecks(patient, shared.Store)) : OfFile(database),
            Check.Of("disk space", () => DiskCheck.Space(patient)),
            Check.Of("serving", () => FolderChecks.Serving(patient)),
        ];
        // Without the settings nobody knows what else there is to look at.
        if (patient.Settings is not { } settings) return checks;

        var providers = settings.Providers;
        checks.Add(Check.Of("listeners", () => ListenerCheck.Listeners(patient, settings)));
        checks.Add(new Check("clock", ct => ClockCheck.OffsetAsync(settings.ClockReference, patient.Clock, ct)));
        if (settings.Store.Length == 0) checks.Add(Check.Of("marks of time", () => database.Marks(settings.Guesses.LongestLock)));
        checks.Add(Check.Of("message texts", () =>
            Finding.Ok($"complete in {string.Join(", ", new MessageTemplates(settings.Delivery.TextFolder, settings.Delivery.Language).Languages)}.")));
        checks.Add(Check.Of("providers", () => MessageChecks.Providers(patient, settings)));
        if (!patient.Dev)
        {
            foreach (var (section, smtp) in new[] { ("smtp", providers.Smtp), ("smtp2", providers.SecondSmtp) })
            {
                if (smtp.Host.Length > 0) checks.Add(new Check(section, ct => MailCheck.GreetAsync(section, smtp, ct)));
            }

            foreach (var (name, url) in new[] { ("kannel", providers.Kannel.Url), ("twilio", providers.Twilio.Url) })
            {
                if (url.Length > 0) checks.Add(new Check(name, ct => GatewayCheck.ConnectAsync(name, new Uri(url), ct)));
            }
        }

        return checks;
    }

    private static Check[] OfFile(DatabaseChecks database) =>
    [
        Check.Of("database", database.Intact),
        Check.Of("schema", database.Schema),
        Check.Of("journal", database.Journal),
        Check.Of("keys of database", database.Keys),
    ];

    private static Check[] OfShared(PostgresChecks database) =>
    [
        Check.Of("database", database.Reachable),
        Check.Of("schema", database.Schema),
        Check.Of("durability", database.Durability),
        Check.Of("keys of database", database.Keys),
    ];
}
