using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Mfa.Server.Backups;
using Mfa.Server.Delivery;
using Mfa.Server.Domain;
using Mfa.Server.Transfer;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server import`: second factors that another program has kept so far. Works beside a running server.</summary>
internal static class ImportCommand
{
    private static readonly Argument<string> Source = new("FILE") { Description = "The file to read; for libpam also a folder of them." };

    private static readonly Option<string> Format = new("--format")
    {
        Description = $"What the file is: {string.Join(", ", ForeignFile.Formats)}.",
        Required = true,
    };

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Tell what would become of each row, and change nothing." };

    private static readonly Option<bool> SkipBroken = new("--skip-broken")
    {
        Description = "Import the good rows although there are others. Without it one bad row keeps the whole file out.",
    };

    private static readonly Option<bool> Pending = new("--pending")
    {
        Description = "Every factor waits, for a day, for a first code, also those that the file says are in force.",
    };

    private static readonly Option<string?> Issuer = new("--issuer") { Description = "Only rows of this issuer." };

    private static readonly Option<string?> Account = new("--account") { Description = "The account of a libpam file; else the file's name says it." };

    private static readonly Option<string> From = new("--account-from")
    {
        Description = "What accounts are called here, for aspnet-identity and keycloak: id, username or email.",
        DefaultValueFactory = _ => "id",
    };

    static ImportCommand()
    {
        Format.AcceptOnlyFromAmong(ForeignFile.Formats);
        From.AcceptOnlyFromAmong("id", "username", "email");
        Account.Accept(name => name is null || AccountKey.IsName(name), AccountKey.AcceptedName);
    }

    public static Command Create()
    {
        var import = new Command("import", "Take over second factors from another program's file. Can be stopped and started again.")
        {
            Source, Format, CallerOptions.Tenant, DryRun, SkipBroken, Pending, Issuer, Account, From, SharedOptions.Data, SharedOptions.Output,
        };
        import.SetAction(RunAsync);
        return import;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken ct)
    {
        var (path, format) = (Path.GetFullPath(parsed.GetValue(Source)!), parsed.GetValue(Format)!);
        var delivery = SettingSources.Read(new Settings(), Environment.CurrentDirectory, []).Delivery;
        var from = parsed.GetValue(From) switch { "username" => AccountFrom.UserName, "email" => AccountFrom.Email, _ => AccountFrom.Id };
        var file = await ForeignFile.OpenAsync(path, format, from, parsed.GetValue(Account), new PhoneParser(delivery),
            () => PasswordPrompt.ReadAsync("Password of the file: ", ct));

        using var data = await SharedOptions.OpenAsync(parsed);
        var options = new ImportOptions(parsed.GetValue(CallerOptions.Tenant)!, format, parsed.GetValue(Issuer), parsed.GetValue(Pending));
        var importer = new Importer(data.Store, data.Ring, options, data.Store.Clock);
        var report = new Report(json: parsed.GetValue(SharedOptions.Output) == "json");

        if (parsed.GetValue(DryRun))
        {
            foreach (var row in importer.Check(file.Rows)) report.Tell(row);
            await report.EndAsync("Nothing was changed. It would be: ");
            return report.Problems > 0 && !parsed.GetValue(SkipBroken) ? ExitCodes.Failed : ExitCodes.Done;
        }

        if (!parsed.GetValue(SkipBroken) && Broken(importer, file, report, out var all))
        {
            await report.EndAsync($"Nothing was imported, because of these rows among {Report.Print(all)}. Mend them, or import the others with --skip-broken: ");
            return ExitCodes.Failed;
        }

        await foreach (var row in importer.RunAsync(file.Rows, () => FolderLocks.IsServed(data.Path), ct)) report.Tell(row);
        await importer.TellAsync(report.Counts);
        await report.EndAsync("Done: ");
        return report.Problems > 0 && !parsed.GetValue(SkipBroken) ? ExitCodes.Failed : ExitCodes.Done; // taken since the first look
    }

    /// <summary>Goes through the whole file before anything is changed, and tells the rows that keep it out.</summary>
    private static bool Broken(Importer importer, ForeignFile file, Report report, out long all)
    {
        all = 0;
        foreach (var row in importer.Check(file.Rows))
        {
            report.Checked(++all);
            if (row.IsProblem) report.Tell(row);
        }

        return report.Problems > 0;
    }

    /// <summary>One line a row on standard output, as it comes; how far it is and the sum on standard error.</summary>
    private sealed class Report(bool json)
    {
        private readonly Progress _progress = new("import");
        private readonly Dictionary<ImportOutcome, long> _counts = [];
        private long _told;

        public long Problems { get; private set; }

        public IReadOnlyDictionary<ImportOutcome, long> Counts => _counts;

        public void Checked(long rows) => _progress.Report(rows, "rows looked at");

        public void Tell(ImportedRow row)
        {
            _counts[row.Outcome] = _counts.GetValueOrDefault(row.Outcome) + 1;
            if (row.IsProblem) Problems++;
            Console.Out.WriteLine(json ? Json(row) : Text(row));
            _progress.Report(++_told, "rows");
        }

        public Task EndAsync(string what)
        {
            var counts = _counts.OrderBy(c => c.Key).Select(c => $"{Print(c.Value)} {AuditNames.Of(c.Key)}").ToList();
            return Console.Error.WriteLineAsync($"{what}{(counts.Count == 0 ? "no rows" : string.Join(", ", counts))}.");
        }

        public static string Print(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

        private static string Text(ImportedRow row) =>
            $"{row.Place}: {AuditNames.Of(row.Outcome)}{(row.Account.Length > 0 ? $" {row.Account}" : "")}{(row.Detail.Length > 0 ? $": {row.Detail}" : "")}";

        private static string Json(ImportedRow row)
        {
            using var bytes = new MemoryStream();
            using (var writer = new Utf8JsonWriter(bytes))
            {
                writer.WriteStartObject();
                writer.WriteString("row", row.Place);
                writer.WriteString("account", row.Account);
                writer.WriteString("outcome", AuditNames.Of(row.Outcome));
                writer.WriteString("detail", row.Detail);
                writer.WriteEndObject();
            }

            return Encoding.UTF8.GetString(bytes.ToArray());
        }
    }
}
