namespace Mfa.Server.Store;

/// <summary>What the database knows of time, as statements on a session: its latest moment, and the spans it was silent in.</summary>
internal static class ClockRows
{
    /// <summary>Longer silence is written down: the sweeper alone saves something every minute.</summary>
    private static readonly TimeSpan Gap = TimeSpan.FromMinutes(5);

    /// <summary>A wrong clock is found within days. Older gaps are of no use to a repair.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <returns>The latest time at which anything was saved.</returns>
    public static DateTimeOffset Mark(Session session) =>
        DateTimeOffset.FromUnixTimeMilliseconds((long)session.Command("SELECT mark FROM database_state").ExecuteScalar()!);

    /// <summary>Notes that something is saved now. Belongs into the transaction that saves it.</summary>
    /// <param name="now">The time that everything goes by.</param>
    /// <param name="system">What the system clock says; earlier, when it was set back.</param>
    public static void Note(Session session, DateTimeOffset now, DateTimeOffset system)
    {
        NoteGap(session, now);
        if (now - system > SteadyClock.Tolerance) CutGaps(session, system);
        var command = session.Command("UPDATE database_state SET mark = @now WHERE mark < @now");
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        command.ExecuteNonQuery();
    }

    private static void NoteGap(Session session, DateTimeOffset now)
    {
        var command = session.Command("""
            INSERT INTO clock_gaps (from_time, to_time)
            SELECT mark, @now FROM database_state WHERE mark > 0 AND mark < @now - @gap
            """);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        command.Bind("@gap", (long)Gap.TotalMilliseconds);
        if (command.ExecuteNonQuery() == 0) return;

        // Counted from before this gap: a jump over years must not make the gap it left look old.
        var forget = session.Command("DELETE FROM clock_gaps WHERE to_time < (SELECT mark FROM database_state) - @kept");
        forget.Bind("@kept", (long)Kept.TotalMilliseconds);
        forget.ExecuteNonQuery();
    }

    /// <summary>The clock was set back into a gap, and codes are accepted there now: it is none any more up to here.</summary>
    private static void CutGaps(Session session, DateTimeOffset system)
    {
        var command = session.Command("UPDATE clock_gaps SET from_time = @system WHERE from_time < @system AND to_time > @system");
        command.Bind("@system", system.ToUnixTimeMilliseconds());
        command.ExecuteNonQuery();
    }
}
