using Mfa.Server.Domain;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store;

/// <summary>Names one request for as long as its answer is remembered.</summary>
/// <param name="Account">The account it is about.</param>
/// <param name="Caller">Who sent it: the same id from another caller is another request.</param>
/// <param name="Id">The caller's request_id.</param>
/// <param name="Payload">Keyed hash of all it said.</param>
/// <param name="ExpireTime">When it is forgotten.</param>
internal sealed record RequestMark(AccountKey Account, string Caller, Guid Id, byte[] Payload, DateTimeOffset ExpireTime);

/// <summary>A remembered answer, and the payload of the request it answered.</summary>
internal sealed record RememberedAnswer(byte[] Payload, byte[] Answer);

/// <summary>The answers table, as statements on a connection.</summary>
internal static class AnswerRows
{
    public static RememberedAnswer? Find(Session session, RequestMark mark, DateTimeOffset now)
    {
        var command = session.Command("""
            SELECT payload, answer FROM answers
            WHERE tenant = @tenant AND account = @account AND caller = @caller AND request_id = @id AND expire_time > @now
            """);
        BindKey(command, mark);
        command.Parameters.AddWithValue("@now", now.ToUnixTimeMilliseconds());
        using var row = command.ExecuteReader();
        return row.Read() ? new RememberedAnswer(row.GetFieldValue<byte[]>(0), row.GetFieldValue<byte[]>(1)) : null;
    }

    public static void Save(Session session, RequestMark mark, byte[] answer)
    {
        var command = session.Command("""
            INSERT OR REPLACE INTO answers (tenant, account, caller, request_id, payload, answer, expire_time)
            VALUES (@tenant, @account, @caller, @id, @payload, @answer, @expire)
            """);
        BindKey(command, mark);
        command.Parameters.AddWithValue("@payload", mark.Payload);
        command.Parameters.AddWithValue("@answer", answer);
        command.Parameters.AddWithValue("@expire", mark.ExpireTime.ToUnixTimeMilliseconds());
        command.ExecuteNonQuery();
    }

    public static int RemoveExpired(Session session, DateTimeOffset now)
    {
        var command = session.Command("DELETE FROM answers WHERE expire_time <= @now");
        command.Parameters.AddWithValue("@now", now.ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery();
    }

    private static void BindKey(SqliteCommand command, RequestMark mark)
    {
        command.Parameters.AddWithValue("@tenant", mark.Account.Tenant);
        command.Parameters.AddWithValue("@account", mark.Account.Account);
        command.Parameters.AddWithValue("@caller", mark.Caller);
        command.Parameters.AddWithValue("@id", mark.Id.ToByteArray());
    }
}
