using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>The ring_keys table, as statements on a session: the keys that rows of this database may need.</summary>
internal static class RingKeyRows
{
    public static Dictionary<uint, byte[]> CheckValues(Session session)
    {
        var command = session.Command("SELECT id, check_value FROM ring_keys");
        using var row = command.ExecuteReader();
        var keys = new Dictionary<uint, byte[]>();
        while (row.Read()) keys.Add((uint)row.GetInt64(0), row.GetFieldValue<byte[]>(1));
        return keys;
    }

    public static bool Add(Session session, uint id, byte[] checkValue)
    {
        var command = session.Command("INSERT INTO ring_keys (id, check_value) VALUES (@id, @check) ON CONFLICT DO NOTHING");
        command.Bind("@id", (long)id);
        command.Bind("@check", checkValue);
        return command.ExecuteNonQuery() == 1;
    }

    public static bool Remove(Session session, uint id)
    {
        var command = session.Command("DELETE FROM ring_keys WHERE id = @id");
        command.Bind("@id", (long)id);
        return command.ExecuteNonQuery() == 1;
    }

    /// <summary>Notes that the running server protects values with this key from now on, and with no other.</summary>
    public static bool SetServed(Session session, uint id, DateTimeOffset now)
    {
        var command = session.Command("UPDATE ring_keys SET serve_time = @now WHERE id = @id");
        command.Bind("@id", (long)id);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery() == 1;
    }

    public static DateTimeOffset? ServeTime(Session session, uint id)
    {
        var command = session.Command("SELECT serve_time FROM ring_keys WHERE id = @id");
        command.Bind("@id", (long)id);
        return command.ExecuteScalar() is long time ? DateTimeOffset.FromUnixTimeMilliseconds(time) : null;
    }
}
