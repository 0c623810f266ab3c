using System.Data.Common;
using Mfa.Server.Store;

namespace Mfa.Server.Callers;

/// <summary>The api_keys table, as statements on a connection. A key is in use until it is revoked or expires.</summary>
internal static class ApiKeyRows
{
    public static void Add(Session session, byte[] id, Principal principal, byte[] hash, DateTimeOffset now, DateTimeOffset? expireTime)
    {
        var command = session.Command("""
            INSERT INTO api_keys (id, tenant, name, scopes, hash, create_time, expire_time, disable_page)
            VALUES (@id, @tenant, @name, @scopes, @hash, @now, @expire, @page)
            """);
        command.Bind("@id", id);
        command.Bind("@tenant", principal.Tenant);
        command.Bind("@name", principal.Name);
        command.Bind("@scopes", (int)principal.Scopes);
        command.Bind("@hash", hash);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        command.Bind("@expire", expireTime is { } time ? time.ToUnixTimeMilliseconds() : null);
        command.Bind("@page", principal.DisablePage);
        command.ExecuteNonQuery();
    }

    public static KnownKey? Find(Session session, byte[] id, DateTimeOffset now)
    {
        var command = session.Command("""
            SELECT tenant, name, scopes, disable_page, hash, expire_time FROM api_keys
            WHERE id = @id AND revoke_time IS NULL AND (expire_time IS NULL OR expire_time > @now)
            """);
        command.Bind("@id", id);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        using var row = command.ExecuteReader();
        return row.Read()
            ? new KnownKey(PrincipalOf(row), row.GetFieldValue<byte[]>(4), row.IsDBNull(5) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)))
            : null;
    }

    /// <returns>The caller that the keys in use of this name are; null when there is none.</returns>
    public static Principal? FindByName(Session session, string name, DateTimeOffset now)
    {
        var command = session.Command("""
            SELECT tenant, name, scopes, disable_page FROM api_keys
            WHERE name = @name AND revoke_time IS NULL AND (expire_time IS NULL OR expire_time > @now)
            ORDER BY create_time LIMIT 1
            """);
        command.Bind("@name", name);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        using var row = command.ExecuteReader();
        return row.Read() ? PrincipalOf(row) : null;
    }

    public static List<ApiKeyInfo> List(Session session)
    {
        var command = session.Command("""
            SELECT name, id, tenant, scopes, create_time, expire_time, last_use_time, revoke_time
            FROM api_keys ORDER BY create_time, name, id
            """);
        using var row = command.ExecuteReader();
        var keys = new List<ApiKeyInfo>();
        while (row.Read())
        {
            keys.Add(new ApiKeyInfo(row.GetString(0), Convert.ToHexStringLower(row.GetFieldValue<byte[]>(1)), row.GetString(2),
                (Scopes)row.GetInt64(3), Time(row, 4)!.Value, Time(row, 5), Time(row, 6), Time(row, 7)));
        }

        return keys;
    }

    public static int Revoke(Session session, string name, byte[]? id, DateTimeOffset now)
    {
        var command = session.Command("""
            UPDATE api_keys SET revoke_time = @now
            WHERE name = @name AND (@id IS NULL OR id = @id) AND revoke_time IS NULL AND (expire_time IS NULL OR expire_time > @now)
            """);
        command.Bind("@name", name);
        command.Bind("@id", id);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery();
    }

    public static int NoteUse(Session session, byte[] id, long time)
    {
        var command = session.Command("""
            UPDATE api_keys SET last_use_time = @time WHERE id = @id AND (last_use_time IS NULL OR last_use_time < @time)
            """);
        command.Bind("@id", id);
        command.Bind("@time", time);
        return command.ExecuteNonQuery();
    }

    private static Principal PrincipalOf(DbDataReader row) => new(
        CallerKind.Service, row.GetString(0), row.GetString(1), (Scopes)row.GetInt64(2), row.IsDBNull(3) ? null : row.GetString(3));

    private static DateTimeOffset? Time(DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));
}
