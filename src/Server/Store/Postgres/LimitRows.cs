using Mfa.Server.Domain;

namespace Mfa.Server.Store.Postgres;

/// <summary>Limits of messages that several servers count together.</summary>
internal static class LimitRows
{
    /// <returns>The first limit that refuses one more message; null when all let it pass, and then nobody else counts until the transaction ends.</returns>
    public static SendLimitHit? FirstHit(Session session, IReadOnlyList<SendLimit> limits, DateTimeOffset now)
    {
        // Taken before they are looked at: two that look at the same count would both let a message pass. In one order everywhere.
        foreach (var limit in limits.OrderBy(limit => limit.Name, StringComparer.Ordinal).ThenBy(limit => Convert.ToHexString(limit.Subject), StringComparer.Ordinal))
        {
            var command = session.Command("""
                INSERT INTO send_counts (name, subject, window_start, count, last_time) VALUES (@name, @subject, @start, 0, 0)
                ON CONFLICT (name, subject, window_start) DO UPDATE SET count = send_counts.count
                """);
            command.Bind("@name", limit.Name);
            command.Bind("@subject", limit.Subject);
            command.Bind("@start", limit.WindowStart(now).ToUnixTimeMilliseconds());
            command.ExecuteNonQuery();
        }

        return SendCountRows.FirstHit(session, limits, now);
    }
}
