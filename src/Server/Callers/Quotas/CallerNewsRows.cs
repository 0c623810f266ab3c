using Mfa.Server.Store;

namespace Mfa.Server.Callers.Quotas;

/// <summary>
/// The caller_news table, as statements on a session. It is there in PostgreSQL alone, and times are the database's: servers need not
/// agree on theirs.
/// </summary>
internal static class CallerNewsRows
{
    private const string Now = "CAST(extract(epoch FROM now()) * 1000 AS bigint)";

    /// <summary>Of a row that is there already, nothing: it was saved although nobody said so.</summary>
    public static void Add(Session session, string server, long number, string news)
    {
        var command = session.Command($"""
            INSERT INTO caller_news (server, number, tell_time, news) VALUES (@server, @number, {Now}, @news)
            ON CONFLICT (server, number) DO NOTHING
            """);
        command.Bind("@server", server);
        command.Bind("@number", number);
        command.Bind("@news", news);
        command.ExecuteNonQuery();
    }

    /// <summary>What the other servers told within a time, in the order they told it.</summary>
    public static List<ToldNews> Recent(Session session, string server, TimeSpan within)
    {
        var command = session.Command($"""
            SELECT server, number, {Now} - tell_time, news FROM caller_news
            WHERE tell_time > {Now} - @within AND server <> @server ORDER BY tell_time, server, number
            """);
        command.Bind("@within", (long)within.TotalMilliseconds);
        command.Bind("@server", server);
        using var row = command.ExecuteReader();
        var told = new List<ToldNews>();
        while (row.Read()) told.Add(new ToldNews(row.GetString(0), row.GetInt64(1), TimeSpan.FromMilliseconds(Math.Max(0, row.GetInt64(2))), row.GetString(3)));
        return told;
    }

    public static void RemoveOld(Session session, TimeSpan age)
    {
        var command = session.Command($"DELETE FROM caller_news WHERE tell_time <= {Now} - @age");
        command.Bind("@age", (long)age.TotalMilliseconds);
        command.ExecuteNonQuery();
    }
}

/// <param name="Server">Another name after each start.</param>
/// <param name="Number">Counts up; a server tells one only when the one before is saved.</param>
/// <param name="Age">How long ago it was told.</param>
internal sealed record ToldNews(string Server, long Number, TimeSpan Age, string News);
