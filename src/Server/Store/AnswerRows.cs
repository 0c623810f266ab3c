using System.Data.Common;
using Mfa.Server.Domain;

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
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        using var row = command.ExecuteReader();
        return row.Read() ? new RememberedAnswer(row.GetFieldValue<byte[]>(0), row.GetFieldValue<byte[]>(1)) : null;
    }

    /// <returns>False when the request was answered meanwhile, and that answer is still remembered.</returns>
    public static bool Save(Session session, RequestMark mark, byte[] answer, DateTimeOffset now)
    {
        var command = session.Command("""
            INSERT INTO answers (tenant, account, caller, request_id, payload, answer, expire_time)
            VALUES (@tenant, @account, @caller, @id, @payload, @answer, @expire)
            ON CONFLICT (tenant, account, caller, request_id)
            DO UPDATE SET payload = excluded.payload, answer = excluded.answer, expire_time = excluded.expire_time
            WHERE answers.expire_time <= @now
            """);
        BindKey(command, mark);
        command.Bind("@payload", mark.Payload);
        command.Bind("@answer", answer);
        command.Bind("@expire", mark.ExpireTime.ToUnixTimeMilliseconds());
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery() == 1;
    }

    public static int RemoveExpired(Session session, DateTimeOffset now)
    {
        var command = session.Command("DELETE FROM answers WHERE expire_time <= @now");
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery();
    }

    private static void BindKey(DbCommand command, RequestMark mark)
    {
        command.Bind("@tenant", mark.Account.Tenant);
        command.Bind("@account", mark.Account.Account);
        command.Bind("@caller", mark.Caller);
        command.Bind("@id", mark.Id.ToByteArray());
    }
}
