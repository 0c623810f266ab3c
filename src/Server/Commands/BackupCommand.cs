using System.CommandLine;
using Mfa.Server.Backups;
using Mfa.Server.Store;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server backup`: one file, made while the server serves.</summary>
internal static class BackupCommand
{
    private static readonly Argument<string> Target = new("FILE") { Description = "The backup to make. Must not exist yet." };

    public static Command Create()
    {
        var backup = new Command("backup", "Back the database up into one file, also while a server runs. The key ring is not in it.")
        {
            Target, SharedOptions.Data, SharedOptions.Store,
        };
        backup.SetAction((parsed, _) => RunAsync(parsed));
        return backup;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        SharedOptions.RefuseShared(parsed, "PostgreSQL has its own: take pg_dump or what your provider offers, and keep keys.json apart from it. See docs/postgresql.md.");
        var folder = parsed.GetValue(SharedOptions.Data)!;
        if (!File.Exists(FolderSwitch.LivePath(folder))) throw new StartRefusedException($"{folder}: there is no database to back up. Check --data.");
        using var data = await SharedOptions.OpenAsync(parsed);
        var database = new Database(FolderSwitch.LivePath(data.Path));
        var file = Path.GetFullPath(parsed.GetValue(Target)!);
        var made = Backup.Make(database, data.Ring, file, data.Store.Clock.GetUtcNow(), new Progress("backup"));
        await Console.Error.WriteLineAsync(
            $"Backed up {made.Rows.Accounts} accounts, {made.Rows.ApiKeys} API keys and {made.Rows.Users} people, and read it back.");
        await Console.Error.WriteLineAsync(
            $"The key ring {Path.Combine(data.Path, "keys.json")} is not in it, and without that ring it is of no use: keep a copy of it, in another place.");
        return ExitCodes.Done;
    }
}
