using System.CommandLine;
using Mfa.Server.Backups;
using Mfa.Server.Protection;
using Mfa.Server.Store;
using Mfa.Server.Store.Postgres;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server store`: the database that servers share.</summary>
internal static class StoreCommand
{
    private static readonly Option<string> To = new("--to") { Description = "The empty PostgreSQL, as a connection string of Npgsql.", Required = true };

    public static Command Create()
    {
        var migrate = new Command("migrate", "Bring the schema of a PostgreSQL up to this program, before its servers start.")
        {
            SharedOptions.Data, SharedOptions.Store,
        };
        migrate.SetAction((parsed, _) => MigrateAsync(parsed));
        var copy = new Command("copy", "Copy the SQLite file of a data folder into an empty PostgreSQL. Stop the server first. Can be broken off and run again.")
        {
            SharedOptions.Data, To,
        };
        copy.SetAction((parsed, _) => CopyAsync(parsed));
        return new Command("store", "The PostgreSQL that servers share: migrate, copy.") { migrate, copy };
    }

    private static async Task<int> CopyAsync(ParseResult parsed)
    {
        using var target = new PostgresDatabase(parsed.GetValue(To)!);
        var tables = DataFolder.Alone(parsed.GetValue(SharedOptions.Data)!, (folder, ring) =>
        {
            var path = FolderSwitch.LivePath(folder);
            if (!File.Exists(path)) throw new StartRefusedException($"{path}: there is no database to copy. Check --data.");
            var source = new Database(path);
            source.Migrate(ring);
            var progress = new Progress("store copy");
            return StoreCopy.Run(source, target, ring, progress.Report);
        });
        await Table.PrintAsync(["TABLE", "ROWS", "SHA-256"], tables.Select(table => new[] { table.Table, $"{table.Rows}", table.Digest }));
        await Console.Error.WriteLineAsync($"Copied to {target.Name}, and compared. Start servers with --store; the file stays as it is, and must not be served any more.");
        return ExitCodes.Done;
    }

    private static async Task<int> MigrateAsync(ParseResult parsed)
    {
        if (SharedOptions.StoreOf(parsed) is not { Length: > 0 } store)
            throw new StartRefusedException($"--store: none is named, and SQLite is migrated by any verb. Give {PostgresAddress.Accepted}.");
        var ring = Path.Combine(parsed.GetValue(SharedOptions.Data)!, "keys.json");
        if (!File.Exists(ring)) throw new StartRefusedException($"{ring}: missing; the audit trail begins under its keys. Create it with: mfa-server init");
        using var database = new PostgresDatabase(store);
        var (found, now) = database.Migrate(KeyRingFile.Load(ring));
        await Console.Error.WriteLineAsync(found == now ? $"{database.Name}: schema {now} already." : $"{database.Name}: schema {found} became {now}.");
        return ExitCodes.Done;
    }
}
