using System.CommandLine;
using Mfa.Server.Backups;
using Mfa.Server.Callers;
using Mfa.Server.Store;
using Mfa.Server.Store.Postgres;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server store copy`: from the SQLite file of a folder to a PostgreSQL, and back.</summary>
internal static class StoreCopyCommand
{
    /// <summary>Millions of rows in one statement.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private const string Accepted = "name a data folder, or give a connection string of Npgsql";

    private static readonly Option<string?> From = new("--from")
    {
        Description = "What to copy: a data folder, or a PostgreSQL as a connection string of Npgsql. Default: the folder of --data.",
    };

    private static readonly Option<string> To = new("--to")
    {
        Description = "Where to: an empty PostgreSQL as a connection string of Npgsql, or a data folder that has the key ring and no database.",
        Required = true,
    };

    static StoreCopyCommand()
    {
        From.Accept(place => place is null || place.Trim().Length > 0, Accepted);
        To.Accept(place => place.Trim().Length > 0, Accepted);
    }

    public static Command Create()
    {
        var copy = new Command("copy", "Copy everything from the SQLite file of a data folder into an empty PostgreSQL, or back. Stop all servers first. " +
            "Can be broken off and run again.")
        {
            From, To, SharedOptions.Data,
        };
        copy.SetAction((parsed, _) => CopyAsync(parsed));
        return copy;
    }

    private static async Task<int> CopyAsync(ParseResult parsed)
    {
        if (parsed.GetValue(From) is not null && parsed.GetResult(SharedOptions.Data) is { Implicit: false })
            throw new StartRefusedException("--data: --from says already what to copy. Leave one of them out.");
        var (from, to) = (parsed.GetValue(From) ?? parsed.GetValue(SharedOptions.Data)!, parsed.GetValue(To)!);
        var (tables, done) = (IsAddress(from), IsAddress(to)) switch
        {
            (false, true) => ToPostgres(from, to),
            (true, false) => ToFile(from, to),
            (false, false) => throw new StartRefusedException("--to: two data folders. Take mfa-server backup and restore, or copy the folder while nobody serves it."),
            (true, true) => throw new StartRefusedException("--to: two PostgreSQL databases. Take pg_dump, or what your provider offers."),
        };
        await Table.PrintAsync(["TABLE", "ROWS", "SHA-256"], tables.Select(table => new[] { table.Table, $"{table.Rows}", table.Digest }));
        await Console.Error.WriteLineAsync(done);
        return ExitCodes.Done;
    }

    /// <summary>A folder whose name has such a sign in it can be written with ./ before it.</summary>
    private static bool IsAddress(string place) => place.Contains('=') && place[0] is not ('/' or '.');

    private static (List<(string Table, long Rows, string Digest)> Tables, string Done) ToPostgres(string from, string to)
    {
        using var target = new PostgresDatabase(to, "--to", Patience);
        var tables = DataFolder.Alone(from, (folder, ring) =>
        {
            var path = FolderSwitch.LivePath(folder);
            if (!File.Exists(path)) throw new StartRefusedException($"{path}: there is no database to copy. Check --from, or --data.");
            var source = new Database(path);
            source.Migrate(ring);
            using (var session = new Session(source.Open())) RingCheck.Refuse(session, ring, DataFolder.RingPathIn(folder));
            return StoreCopy.Run(source, target, ring, new Progress("store copy").Report);
        });
        return (tables, $"Copied to {target.Name}, and compared. Start servers with --store; the file stays as it is, and must not be served any more.");
    }

    private static (List<(string Table, long Rows, string Digest)> Tables, string Done) ToFile(string from, string to)
    {
        using var database = new PostgresDatabase(from, "--from", Patience);
        var tables = DataFolder.Alone(to, (folder, ring) =>
        {
            NewDatabase.RefuseOther(folder);
            var now = TimeProvider.System.GetUtcNow();
            using var source = QuietSource.Hold(database, ring, now);
            RingCheck.Refuse(source.Session, ring, DataFolder.RingPathIn(folder));
            var latest = ClockRows.Mark(source.Session) is var mark && mark > now ? mark : now;
            var copied = new StoreCopyBack(source, NewDatabase.PathIn(folder), ring, new Progress("store copy").Report)
                .Fill(detail => Operator.Did(detail, latest));
            NewDatabase.Sync(folder);
            source.Leave(); // first: were the file served before, two could accept the same code
            NewDatabase.Finish(folder);
            return copied;
        });
        return (tables, $"Copied to {to}, and compared. Serve the folder, without --store; no server starts on {database.Name} any more.");
    }
}
