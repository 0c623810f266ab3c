using System.CommandLine;
using Mfa.Server.Backups;
using Mfa.Server.Store;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server clock`: what the clock has left in the database, and how to mend it once a clock that was ahead is right.</summary>
internal static class ClockCommand
{
    private static readonly Option<bool> Yes = new("--yes") { Description = "The clock of this machine is right now: do it." };

    public static Command Create()
    {
        var status = new Command("status", "Compare the clock with what the database has seen. Exit code 1 when something lies in the future.")
        {
            SharedOptions.Data, SharedOptions.Store, ServeCommand.Set,
        };
        status.SetAction((parsed, _) => ShowAsync(parsed));
        var repair = new Command("repair", "Take back what a clock that was ahead has left. Stop the server first.") { Yes, SharedOptions.Data, SharedOptions.Store, ServeCommand.Set };
        repair.SetAction((parsed, _) => RepairAsync(parsed));
        return new Command("clock", "The clock and the database: status, repair.") { status, repair };
    }

    private static async Task<int> ShowAsync(ParseResult parsed)
    {
        using var data = await SharedOptions.OpenAsync(parsed);
        var now = TimeProvider.System.GetUtcNow();
        var marks = data.Store.Read(session => ClockRepair.Inspect(session, now, LongestLock(parsed)));
        await Table.PrintAsync(["CLOCK", "LAST SAVED", "STEPS AHEAD", "LOCKS TOO LONG", "LIVES TOO LONG"],
            [[Table.Time(now), Table.Time(marks.Mark), $"{marks.StepsAhead}", $"{marks.LocksTooLong}", $"{marks.LivesTooLong}"]]);
        if (!marks.AreAhead(now)) return ExitCodes.Done;
        await Console.Error.WriteLineAsync($"What was saved lies in the future. {Remedy(now)}");
        return ExitCodes.Failed;
    }

    private static async Task<int> RepairAsync(ParseResult parsed)
    {
        SharedOptions.RefuseShared(parsed, "On PostgreSQL a repair is not offered: set the clocks right and wait, see docs/postgresql.md.");
        using var data = await SharedOptions.OpenAsync(parsed, alone: true);
        var now = TimeProvider.System.GetUtcNow();
        var marks = data.Store.Read(session => ClockRepair.Inspect(session, now, LongestLock(parsed)));
        if (!marks.AreAhead(now))
        {
            await Console.Error.WriteLineAsync("Nothing lies in the future: there is nothing to repair.");
            return ExitCodes.Done;
        }

        if (!parsed.GetValue(Yes)) throw new StartRefusedException(Remedy(now));
        ClockRepair.Run(new Database(FolderSwitch.LivePath(data.Path)), now, LongestLock(parsed));
        await Console.Error.WriteLineAsync($"Repaired: time goes on from {Table.Time(now)}. {marks.StepsForgivable} accounts have their app's codes back, " +
            $"{marks.LocksTooLong} locks are cut, {marks.LivesTooLong} codes, tokens, enrollments and messages are void.");
        if (marks.StepsAhead > marks.StepsForgivable)
        {
            await Console.Error.WriteLineAsync($"{marks.StepsAhead - marks.StepsForgivable} accounts wait until the time of their last code comes, " +
                "because it cannot be told which codes were used: a recovery code, or enrolling again, helps sooner.");
        }

        return ExitCodes.Done;
    }

    private static string Remedy(DateTimeOffset now) =>
        $"If the clock of this machine is right ({Table.Time(now)}), stop the server and run: mfa-server clock repair --yes";

    /// <summary>As the server of this folder reads it: a lock that its settings allow must not be cut.</summary>
    private static TimeSpan LongestLock(ParseResult parsed) =>
        SettingSources.Read(new Settings(), Environment.CurrentDirectory, parsed.GetValue(ServeCommand.Set)!).Guesses.LongestLock;
}
