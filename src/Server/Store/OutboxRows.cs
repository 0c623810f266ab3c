using System.Data.Common;
using Mfa.Server.Domain;

namespace Mfa.Server.Store;

/// <summary>A message that somebody took on to send.</summary>
internal sealed record DueMessage(AccountKey Account, Guid Id, Channel Channel, SealedBytes Content, DateTimeOffset ExpireTime, int Attempts);

/// <summary>The outbox table, as statements on a session.</summary>
internal static class OutboxRows
{
    /// <summary>Saves what a decision sends, in place of what that supersedes, counts it, and puts each message on record.</summary>
    public static void Queue<T>(Session session, AccountKey account, Send<T> send, AuditCaller by, DateTimeOffset now)
    {
        if (send.Supersedes is { } old && Withdraw(session, account, old, now) > 0)
            session.Audit(AuditEntry.OfMessage(now, by, account, old, Channel.Unspecified, AuditOutcome.Withdrawn));
        foreach (var message in send.Messages)
        {
            Add(session, message);
            session.Audit(AuditEntry.OfMessage(now, by, account, message.Id, message.Channel, AuditOutcome.Queued));
        }

        SendCountRows.Count(session, send.Limits, now);
    }

    public static void Add(Session session, OutboxMessage message)
    {
        var command = session.Command("""
            INSERT INTO outbox (tenant, account, id, channel, content, create_time, expire_time, next_time, attempts, state, update_time)
            VALUES (@tenant, @account, @id, @channel, @content, @now, @expire, @now, 0, 1, @now)
            """);
        BindKey(command, message.Account, message.Id);
        command.Bind("@channel", (int)message.Channel);
        command.Bind("@content", message.Content.Bytes);
        command.Bind("@now", message.CreateTime.ToUnixTimeMilliseconds());
        command.Bind("@expire", message.ExpireTime.ToUnixTimeMilliseconds());
        command.ExecuteNonQuery();
    }

    /// <summary>How many messages are still to be sent, or are being sent.</summary>
    public static long CountQueued(Session session) => (long)session.Command("SELECT count(*) FROM outbox WHERE state = 1").ExecuteScalar()!;

    /// <summary>Takes on messages that are due, for as long as the lease runs: until then nobody else sends them.</summary>
    public static List<DueMessage> Claim(Session session, Channel channel, int most, DateTimeOffset now, TimeSpan lease)
    {
        var command = session.Command("""
            UPDATE outbox SET next_time = @until, attempts = attempts + 1
            WHERE state = 1 AND next_time <= @now AND (tenant, account, id) IN (
                SELECT tenant, account, id FROM outbox
                WHERE state = 1 AND channel = @channel AND next_time <= @now ORDER BY next_time LIMIT @most)
            RETURNING tenant, account, id, channel, content, expire_time, attempts
            """);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        command.Bind("@until", (now + lease).ToUnixTimeMilliseconds());
        command.Bind("@channel", (int)channel);
        command.Bind("@most", most);
        using var row = command.ExecuteReader();
        var messages = new List<DueMessage>();
        while (row.Read())
        {
            messages.Add(new DueMessage(new AccountKey(row.GetString(0), row.GetString(1)), new Guid(row.GetFieldValue<byte[]>(2)),
                (Channel)row.GetInt64(3), new SealedBytes(row.GetFieldValue<byte[]>(4)),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)), (int)row.GetInt64(6)));
        }

        return messages;
    }

    /// <summary>Ends a message's journey; its content is erased.</summary>
    public static int Finish(Session session, DueMessage message, DeliveryState state, DateTimeOffset now)
    {
        var command = session.Command("""
            UPDATE outbox SET state = @state, content = NULL, update_time = @now WHERE tenant = @tenant AND account = @account AND id = @id
            """);
        BindKey(command, message.Account, message.Id);
        command.Bind("@state", (int)state);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery();
    }

    /// <summary>Takes back a message that still waits. One that is just being sent may arrive all the same.</summary>
    public static int Withdraw(Session session, AccountKey account, Guid id, DateTimeOffset now)
    {
        var command = session.Command("""
            UPDATE outbox SET state = @state, content = NULL, update_time = @now
            WHERE tenant = @tenant AND account = @account AND id = @id AND state = 1
            """);
        BindKey(command, account, id);
        command.Bind("@state", (int)DeliveryState.Failed);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery();
    }

    public static int Postpone(Session session, DueMessage message, DateTimeOffset next)
    {
        var command = session.Command("""
            UPDATE outbox SET next_time = @next WHERE tenant = @tenant AND account = @account AND id = @id AND state = 1
            """);
        BindKey(command, message.Account, message.Id);
        command.Bind("@next", next.ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery();
    }

    /// <summary>Gives the claims of a server that is gone back. Only for the one server of a folder, at its start.</summary>
    public static int ReleaseClaims(Session session, DateTimeOffset now)
    {
        var command = session.Command("UPDATE outbox SET next_time = @now WHERE state = 1 AND attempts > 0");
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery();
    }

    public static DeliveryStatus? Find(Session session, AccountKey account, Guid id)
    {
        var command = session.Command("SELECT state, update_time, attempts FROM outbox WHERE tenant = @tenant AND account = @account AND id = @id");
        BindKey(command, account, id);
        using var row = command.ExecuteReader();
        return row.Read()
            ? new DeliveryStatus((DeliveryState)row.GetInt64(0), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)), (int)row.GetInt64(2))
            : null;
    }

    /// <summary>Forgets what is over for a day.</summary>
    public static int RemoveOld(Session session, DateTimeOffset now)
    {
        var command = session.Command("DELETE FROM outbox WHERE state <> 1 AND update_time <= @before");
        command.Bind("@before", now.AddDays(-1).ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery();
    }

    private static void BindKey(DbCommand command, AccountKey account, Guid id)
    {
        command.Bind("@tenant", account.Tenant);
        command.Bind("@account", account.Account);
        command.Bind("@id", id.ToByteArray());
    }
}
