using Mfa.Server.Protection;
using Mfa.Server.Rotation;
using Mfa.Server.Store;

namespace Mfa.Server;

/// <summary>
/// Ties a database to the key ring it was written with. A server with another ring would find every code wrong and every
/// account unreadable; it must not start.
/// </summary>
internal static class RingCheck
{
    /// <exception cref="StartRefusedException">The database needs a key that the ring lacks, or has another one by its id.</exception>
    public static async Task RunAsync(IStore store, KeyRing ring, string ringPath)
    {
        bool known;
        try
        {
            known = Knows(store, ring, ringPath);
        }
        catch (StartRefusedException)
        {
            ring.TakeOver(KeyRingFile.Load(ringPath)); // it may have been changed since it was read
            known = Knows(store, ring, ringPath);
        }

        if (known) return;
        await store.WriteAsync(session =>
        {
            // Servers with rings of their own may start on a new database at once: whoever comes second finds the first one's key.
            session.Execute("UPDATE database_state SET mark = mark WHERE id = 1");
            Refuse(Stranger(RingKeyRows.CheckValues(session), ring), ringPath);
            return RingKeyRows.Add(session, ring.ActiveId, ring.CheckValue(ring.ActiveId));
        });
    }

    /// <returns>Whether the database knows the ring's active key: until then nothing may be protected with it.</returns>
    /// <exception cref="StartRefusedException">As for <see cref="RunAsync"/>.</exception>
    public static bool Knows(IStore store, KeyRing ring, string ringPath)
    {
        var known = store.Read(RingKeyRows.CheckValues);
        Refuse(Stranger(known, ring), ringPath);
        return known.ContainsKey(ring.ActiveId);
    }

    /// <summary>The same for a database that nobody serves.</summary>
    /// <exception cref="StartRefusedException">As for <see cref="RunAsync"/>.</exception>
    public static void Refuse(Session session, KeyRing ring, string ringPath) => Refuse(Stranger(RingKeyRows.CheckValues(session), ring), ringPath);

    private static void Refuse(uint? stranger, string ringPath)
    {
        if (stranger is { } id)
            throw new StartRefusedException($"{ringPath}: not the key ring this database was written with (key {id:x8}). Put the right file back.");
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
