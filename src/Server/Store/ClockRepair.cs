using System.Data.Common;
using Mfa.Server.Domain;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store;

/// <summary>What a clock that was ahead has left in a database.</summary>
/// <param name="Mark">The latest time at which anything was saved.</param>
/// <param name="StepsAhead">Accounts whose last accepted time step is still to come: until then their app's codes are refused.</param>
/// <param name="StepsForgivable">How many of these a repair can help.</param>
/// <param name="LocksTooLong">Locks that end later than any lock may last.</param>
/// <param name="LivesTooLong">Codes, tokens, enrollments and messages that would live longer than they may.</param>
internal sealed record ClockMarks(DateTimeOffset Mark, long StepsAhead, long StepsForgivable, long LocksTooLong, long LivesTooLong)
{
    public bool AreAhead(DateTimeOffset now) => Mark - now > SteadyClock.Tolerance || StepsAhead + LocksTooLong + LivesTooLong > 0;
}

/// <summary>
/// Takes back what a clock that was ahead has left, once it is right again. Only for a database that nobody serves.
/// </summary>
/// <remarks>
/// A code must not count twice because of this. Say the clock stood at noon and jumped to noon of the next day, and ten minutes
/// of codes were accepted there. Nothing was saved between the two noons: that gap is on record. So the steps from the gap's end to
/// the last accepted one stay refused, to be met when their time really comes, and everything before the gap is behind us anyway.
/// What lies between can be given back. Where no gap holds the present moment, nothing is: such steps wait for their time.
/// </remarks>
internal static class ClockRepair
{
    /// <summary>Saving follows the look at the clock by moments; this is more than it ever takes.</summary>
    private const long MarginSeconds = 60;

    /// <summary>The sweeper saves every minute, so that the clock may have been read for so long after a gap's begin.</summary>
    private const long LateSeconds = 120;

    /// <summary>Ahead by more than a repair itself leaves.</summary>
    private const string Ahead = "f_last_step > (@now / 1000 + @late) / f_period + @tolerance";

    private const string Forgivable = """
        f_last_step >= ((SELECT min(to_time) FROM clock_gaps WHERE from_time <= @now AND to_time > @now) / 1000 - @margin) / f_period - @tolerance
        """;

    private const string Lives = """
        f_code_expire > @now + 600000 OR p_code_expire > @now + 600000 OR d_expire > @now + 900000 OR p_expire_time > @now + 86400000
        """;

    /// <param name="longestLock">The longest that a lock may last on this server.</param>
    public static ClockMarks Inspect(Session session, DateTimeOffset now, TimeSpan longestLock)
    {
        var command = session.Command($"""
            SELECT
                (SELECT mark FROM database_state),
                (SELECT count(*) FROM accounts WHERE {Ahead}),
                (SELECT count(*) FROM accounts WHERE {Ahead} AND {Forgivable}),
                (SELECT count(*) FROM accounts WHERE factor_locked_until > @now + @lock OR enrollment_locked_until > @now + @lock
                    OR recovery_locked_until > @now + @lock) + (SELECT count(*) FROM users WHERE password_locked_until > @now + @lock),
                (SELECT count(*) FROM accounts WHERE {Lives}) + (SELECT count(*) FROM outbox WHERE state = 1 AND expire_time > @now + 86400000)
            """);
        Bind(command, now, longestLock);
        using var row = command.ExecuteReader();
        row.Read();
        return new ClockMarks(DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0)), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4));
    }

    /// <param name="now">The right time.</param>
    /// <exception cref="StoreUnavailableException">Nothing was changed.</exception>
    public static void Run(Database database, DateTimeOffset now, TimeSpan longestLock)
    {
        try
        {
            using var session = new Session(database.Open());
            session.Execute("BEGIN IMMEDIATE");
            var command = session.Command(Repair);
            Bind(command, now, longestLock);
            command.ExecuteNonQuery();
            session.Execute("COMMIT");
        }
        catch (SqliteException broken)
        {
            throw new StoreUnavailableException(broken);
        }
    }

    private static void Bind(DbCommand command, DateTimeOffset now, TimeSpan longestLock)
    {
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        command.Bind("@tolerance", TotpMatch.MostTolerance);
        command.Bind("@margin", MarginSeconds);
        command.Bind("@late", LateSeconds);
        command.Bind("@lock", (long)longestLock.TotalMilliseconds);
    }

    private const string Repair = $"""
        UPDATE accounts SET
            version = version + 1,
            f_spent_from = min(coalesce(f_spent_from, f_last_step), ((SELECT min(to_time) FROM clock_gaps
                WHERE from_time <= @now AND to_time > @now) / 1000 - @margin) / f_period - @tolerance),
            f_spent_to = max(coalesce(f_spent_to, 0), f_last_step),
            f_last_step = @tolerance + max(@now / 1000, @late + (SELECT max(from_time) FROM clock_gaps
                WHERE from_time <= @now AND to_time > @now) / 1000) / f_period
        WHERE {Ahead} AND {Forgivable};

        UPDATE accounts SET
            version = version + 1,
            factor_locked_until = min(factor_locked_until, @now + @lock),
            enrollment_locked_until = min(enrollment_locked_until, @now + @lock),
            recovery_locked_until = min(recovery_locked_until, @now + @lock)
        WHERE max(coalesce(factor_locked_until, 0), coalesce(enrollment_locked_until, 0), coalesce(recovery_locked_until, 0)) > @now + @lock;
        UPDATE users SET password_locked_until = @now + @lock WHERE password_locked_until > @now + @lock;

        UPDATE accounts SET version = version + 1, d_hash = NULL, d_enrollment = NULL, d_expire = NULL,
            f_code_id = NULL, f_code_key = NULL, f_code_hash = NULL, f_code_expire = NULL, f_code_tries = NULL,
            p_code_id = NULL, p_code_key = NULL, p_code_hash = NULL, p_code_expire = NULL, p_code_tries = NULL,
            p_expire_time = min(p_expire_time, @now)
        WHERE {Lives};
        UPDATE outbox SET state = 3, content = NULL, update_time = @now WHERE state = 1 AND expire_time > @now + 86400000;
        UPDATE outbox SET next_time = @now WHERE state = 1 AND next_time > @now + 120000;
        UPDATE outbox SET update_time = @now WHERE update_time > @now;
        DELETE FROM answers WHERE expire_time > @now + 600000;
        DELETE FROM send_counts WHERE window_start > @now;
        UPDATE send_counts SET last_time = @now WHERE last_time > @now;

        UPDATE clock_gaps SET to_time = @now WHERE from_time < @now AND to_time > @now;
        DELETE FROM clock_gaps WHERE from_time >= @now;
        UPDATE database_state SET mark = @now;
        """;
}
