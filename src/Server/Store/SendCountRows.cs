using Mfa.Server.Domain;

namespace Mfa.Server.Store;

/// <summary>The send_counts table, as statements on a session.</summary>
internal static class SendCountRows
{
    /// <returns>The first limit that refuses one more message; null when all let it pass.</returns>
    public static SendLimitHit? FirstHit(Session session, IReadOnlyList<SendLimit> limits, DateTimeOffset now)
    {
        foreach (var limit in limits)
        {
            var (count, last) = Find(session, limit, now);
            if (limit.RetryTime(count, last, now) is { } retry) return new SendLimitHit(limit.Name, retry);
        }

        return null;
    }

    public static void Count(Session session, IReadOnlyList<SendLimit> limits, DateTimeOffset now)
    {
        foreach (var limit in limits)
        {
            var command = session.Command("""
                INSERT INTO send_counts (name, subject, window_start, count, last_time) VALUES (@name, @subject, @start, 1, @now)
                ON CONFLICT (name, subject, window_start) DO UPDATE SET count = send_counts.count + 1, last_time = @now
                """);
            command.Bind("@name", limit.Name);
            command.Bind("@subject", limit.Subject);
            command.Bind("@start", limit.WindowStart(now).ToUnixTimeMilliseconds());
            command.Bind("@now", now.ToUnixTimeMilliseconds());
            command.ExecuteNonQuery();
        }
    }

    /// <summary>No window is longer than a day; two are kept, because a gap can reach back into the one before.</summary>
    public static int RemoveOld(Session session, DateTimeOffset now)
    {
        var command = session.Command("DELETE FROM send_counts WHERE window_start <= @before");
        command.Bind("@before", now.AddDays(-2).ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery();
    }

    private static (int Count, DateTimeOffset? Last) Find(Session session, SendLimit limit, DateTimeOffset now)
    {
        // What lies ahead was written by a clock that has gone back since: waiting for it would hold up all messages.
        var command = session.Command("""
            SELECT CAST(coalesce(sum(count) FILTER (WHERE window_start = @start), 0) AS bigint), max(last_time) FILTER (WHERE last_time <= @now)
            FROM send_counts WHERE name = @name AND subject = @subject AND window_start >= @before
            """);
        command.Bind("@name", limit.Name);
        command.Bind("@subject", limit.Subject);
        command.Bind("@start", limit.WindowStart(now).ToUnixTimeMilliseconds());
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        command.Bind("@before", (limit.WindowStart(now) - limit.Window).ToUnixTimeMilliseconds());
        using var row = command.ExecuteReader();
        row.Read();
        return ((int)row.GetInt64(0), row.IsDBNull(1) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)));
    }
}
