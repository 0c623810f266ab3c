using System.CommandLine;
using Mfa.Server.Protection;
using Mfa.Server.Store.Postgres;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server store`: the database that servers share.</summary>
internal static class StoreCommand
{
    public static Command Create()
    {
        var migrate = new Command("migrate", "Bring the schema of a PostgreSQL up to this program, before its servers start.")
        {
            SharedOptions.Data, SharedOptions.Store,
        };
        migrate.SetAction((parsed, _) => MigrateAsync(parsed));
        return new Command("store", "The PostgreSQL that servers share: migrate, copy.") { migrate, StoreCopyCommand.Create() };
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
