using System.CommandLine;
using Mfa.Server.Backups;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server restore`: puts a backup into a folder that nobody serves.</summary>
internal static class RestoreCommand
{
    private static readonly Argument<string> Source = new("FILE") { Description = "The backup." };

    private static readonly Option<bool> Replace = new("--replace")
    {
        Description = "Put it in the place of a database that is there. The old one is kept beside, and what it knows better is taken over.",
    };

    private static readonly Option<bool> IgnoreReplaced = new("--ignore-replaced")
    {
        Description = "Take nothing over from the replaced database: keys revoked and people removed since the backup come back.",
    };

    private static readonly Option<bool> KeepRecoveryCodes = new("--keep-recovery-codes")
    {
        Description = "Accept recovery codes of the backup, although some may have been used since. For when people would be locked out.",
    };

    private static readonly Option<bool> RevokeKeys = new("--revoke-keys") { Description = "Revoke every API key." };

    public static Command Create()
    {
        var restore = new Command("restore", "Put a backup into the data folder. Stop the server first.")
        {
            Source, Replace, IgnoreReplaced, KeepRecoveryCodes, RevokeKeys, SharedOptions.Data, SharedOptions.Store,
        };
        restore.SetAction((parsed, _) => RunAsync(parsed));
        return restore;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        SharedOptions.RefuseShared(parsed, "PostgreSQL has its own: take pg_dump or what your provider offers, and keep keys.json apart from it. See docs/postgresql.md.");
        var options = new RestoreOptions(parsed.GetValue(Replace), parsed.GetValue(IgnoreReplaced), parsed.GetValue(KeepRecoveryCodes), parsed.GetValue(RevokeKeys));
        var file = parsed.GetValue(Source)!;
        var report = DataFolder.Alone(parsed.GetValue(SharedOptions.Data)!, (folder, ring) =>
            new Restore(folder, ring, options, TimeProvider.System.GetUtcNow(), new Progress("restore")).Run(file));
        foreach (var line in Lines(report, options)) await Console.Error.WriteLineAsync(line);
        return ExitCodes.Done;
    }

    private static IEnumerable<string> Lines(RestoreReport report, RestoreOptions options)
    {
        var rows = report.Backup.Rows;
        yield return $"Restored {rows.Accounts} accounts, {rows.ApiKeys} API keys and {rows.Users} people as of {Table.Time(report.Backup.CreateTime)}.";
        yield return "Sent codes, tokens to switch off, pending enrollments and unsent messages are void. Codes of authenticator apps are accepted again in a minute or two.";
        foreach (var line in Replaced(report)) yield return line;
        if (report.StaleAccounts > 0)
        {
            yield return options.KeepRecoveryCodes
                ? $"Warning: recovery codes of {report.StaleAccounts} accounts are accepted although some may have been used since. Have their owners make new ones."
                : $"Recovery codes of {report.StaleAccounts} accounts are not accepted until their owners make new ones: some may have been used since.";
        }

        if (report.RevokedKeys > 0) yield return $"Revoked {report.RevokedKeys} API keys. Make new ones: mfa-server keys create";
        else if (report.CarriedOver is null && report.KeysInForce.Count > 0)
            yield return $"API keys in force, also those revoked since the backup: {string.Join(", ", report.KeysInForce)}. Revoke the latter: mfa-server keys revoke NAME";
        if (report.CarriedOver is null) yield return "People have the passwords they had then, and those removed since are back. See: mfa-server users list";
    }

    private static IEnumerable<string> Replaced(RestoreReport report)
    {
        if (report.Aside is { } aside) yield return $"The old database is kept as {aside}, with whatever it alone tells of the time since. Remove it when nobody needs it.";
        if (report.NothingBecause is { } why) yield return $"Nothing was taken over from it: {why.TrimEnd('.')}.";
        if (report.CarriedOver is not { } kept) yield break;
        yield return $"Taken over from it: {kept.Accounts} accounts as they were last, {kept.RevokedKeys} revoked keys, the passwords of people, the audit trail.";
        if (kept.OnAgain > 0) yield return $"{kept.OnAgain} accounts that had switched their second factor off since have it again.";
        if (kept.RemovedPeople.Count > 0) yield return $"Removed since, and so not restored: {string.Join(", ", kept.RemovedPeople)}.";
        if (kept.LostKeys.Count > 0) yield return $"API keys made since are not in the backup; make them anew: {string.Join(", ", kept.LostKeys)}.";
        if (kept.LostPeople.Count > 0) yield return $"People added since are not in the backup; add them anew: {string.Join(", ", kept.LostPeople)}.";
    }
}
