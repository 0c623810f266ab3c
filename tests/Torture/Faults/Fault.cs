using System.Diagnostics;
using Mfa.Torture.History;
using Microsoft.Data.Sqlite;

namespace Mfa.Torture.Faults;

/// <summary>Something that happens to a server in use. It has passed, and the server serves, when the task is done.</summary>
internal interface IFault
{
    /// <summary>All of them, to be drawn from. Half are kills: they are what an acknowledged effect must outlive.</summary>
    static IReadOnlyList<IFault> All { get; } =
        [new Kill(), new Kill(), new Kill(), new Kill(), new Kill(), new Stop(), new FullDisk(), new FullDisk(), new LockedDatabase(), new MovedClock()];

    string Name { get; }

    Task StrikeAsync(Target target, HistoryFile history, Chance chance);
}

/// <summary>kill -9, as the out-of-memory killer does.</summary>
internal sealed class Kill : IFault
{
    public string Name => "kill";

    public async Task StrikeAsync(Target target, HistoryFile history, Chance chance)
    {
        await target.EndAsync(9, history);
        await target.StartAsync();
    }
}

/// <summary>SIGTERM, as every deployment sends it.</summary>
internal sealed class Stop : IFault
{
    public string Name => "stop";

    public async Task StrikeAsync(Target target, HistoryFile history, Chance chance)
    {
        var code = await target.EndAsync(15, history);
        if (code != 0) history.Add(new Line(Note: new Note($"A server that was asked to stop ended with {code}.", Violation: true)));
        await target.StartAsync();
    }
}

/// <summary>No file may grow any more, for a while: what a full disk does, to one process alone.</summary>
internal sealed class FullDisk : IFault
{
    public string Name => "full-disk";

    public async Task StrikeAsync(Target target, HistoryFile history, Chance chance)
    {
        await LimitAsync(target, "4096");
        await Task.Delay(chance.Next(300, 2_000));
        if (chance.Next(3) == 0) await new Kill().StrikeAsync(target, history, chance);
        else await LimitAsync(target, "unlimited");
    }

    private static async Task LimitAsync(Target target, string bytes)
    {
        // The hard limit stays where it is, so that the soft one can go up again.
        using var prlimit = Process.Start("prlimit", ["--pid", $"{target.ProcessId}", $"--fsize={bytes}:unlimited"]);
        await prlimit.WaitForExitAsync();
        if (prlimit.ExitCode != 0) throw new InvalidOperationException("prlimit did not set the limit.");
    }
}

/// <summary>Another program holds the database's write lock, up to twice as long as the server waits for it.</summary>
internal sealed class LockedDatabase : IFault
{
    public string Name => "locked-database";

    public async Task StrikeAsync(Target target, HistoryFile history, Chance chance)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(target.Data, "mfa.db")};Pooling=False");
        await connection.OpenAsync();
        Execute(connection, "BEGIN EXCLUSIVE");
        await Task.Delay(chance.Next(200, 4_000));
        Execute(connection, "ROLLBACK");
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}

/// <summary>The clock jumps, and the next time it jumps back.</summary>
internal sealed class MovedClock : IFault
{
    public string Name => "moved-clock";

    public async Task StrikeAsync(Target target, HistoryFile history, Chance chance)
    {
        target.MoveClock(target.Offset == 0 ? Target.Offsets[chance.Next(1, Target.Offsets.Length)] : 0, history);
        await Task.Delay(chance.Next(2_600, 4_000)); // until it is sure to have been noticed
    }
}
