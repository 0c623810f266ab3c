using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server;

/// <summary>
/// Ties a database to the key ring it was written with. A server with another ring would find every code wrong and every
/// account unreadable; it must not start.
/// </summary>
internal static class RingCheck
{
    /// <exception cref="StartRefusedException">The database needs a key that the ring lacks, or has another one by its id.</exception>
    public static async Task RunAsync(SqliteStore store, KeyRing ring, string ringPath)
    {
        var known = store.Read(KnownTo);
        if (Stranger(known, ring) is { } id)
            throw new StartRefusedException($"{ringPath}: not the key ring this database was written with (key {id:x8}). Put the right file back.");

        if (known.ContainsKey(ring.ActiveId)) return;
        await store.WriteAsync(session =>
        {
            var command = session.Command("INSERT INTO ring_keys (id, check_value) VALUES (@id, @check) ON CONFLICT DO NOTHING");
            command.Parameters.AddWithValue("@id", (long)ring.ActiveId);
            command.Parameters.AddWithValue("@check", ring.CheckValue(ring.ActiveId));
            return command.ExecuteNonQuery();
        });
    }

    /// <summary>The keys that the database was written with, and the check value of each.</summary>
    public static Dictionary<uint, byte[]> KnownTo(Session session)
    {
        using var row = session.Command("SELECT id, check_value FROM ring_keys").ExecuteReader();
        var keys = new Dictionary<uint, byte[]>();
        while (row.Read()) keys.Add((uint)row.GetInt64(0), row.GetFieldValue<byte[]>(1));
        return keys;
    }

    /// <returns>A key that the ring lacks, or has another one by its id; null when the ring is the right one.</returns>
    public static uint? Stranger(IReadOnlyDictionary<uint, byte[]> known, KeyRing ring)
    {
        foreach (var (id, check) in known)
        {
            if (!ring.Contains(id) || !ring.CheckValue(id).AsSpan().SequenceEqual(check)) return id;
        }

        return null;
    }
}
