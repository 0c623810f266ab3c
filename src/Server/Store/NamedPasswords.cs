using System.Security.Cryptography;
using Mfa.Server.Protection;

namespace Mfa.Server.Store;

/// <summary>The part of migration 7 that needs the key ring: every hash of a password is made to name its person.</summary>
internal static class NamedPasswords
{
    /// <exception cref="StartRefusedException">Another ring: with it every password would be spoilt for good.</exception>
    public static void Rewrite(Session session, KeyRing ring)
    {
        RefuseStranger(session, ring);
        foreach (var (name, unnamed) in Read(session)) Save(session, name, Name(ring, name, unnamed));
    }

    private static void RefuseStranger(Session session, KeyRing ring)
    {
        using var row = session.Command("SELECT id, check_value FROM ring_keys").ExecuteReader();
        while (row.Read())
        {
            var id = (uint)row.GetInt64(0);
            if (!ring.Contains(id) || !ring.CheckValue(id).AsSpan().SequenceEqual(row.GetFieldValue<byte[]>(1)))
                throw new StartRefusedException($"The database was written with another key ring (key {id:x8}). Put the right keys.json back.");
        }
    }

    private static List<(string Name, PasswordHash Hash)> Read(Session session)
    {
        using var row = session.Command("SELECT name, password_key, password_rounds, password_salt, password_hash FROM users").ExecuteReader();
        var hashes = new List<(string, PasswordHash)>();
        while (row.Read())
        {
            hashes.Add((row.GetString(0), new PasswordHash(
                (uint)row.GetInt64(1), row.GetInt32(2), row.GetFieldValue<byte[]>(3), row.GetFieldValue<byte[]>(4))));
        }

        return hashes;
    }

    private static PasswordHash Name(KeyRing ring, string name, PasswordHash unnamed)
    {
        try
        {
            return PasswordHasher.Name(ring, name, unnamed);
        }
        catch (CryptographicException)
        {
            throw new StartRefusedException($"The password of {name} does not open: it was altered. Restore the database from a backup.");
        }
    }

    private static void Save(Session session, string name, PasswordHash named)
    {
        var command = session.Command("UPDATE users SET password_key = @key, password_hash = @hash WHERE name = @name");
        command.Bind("@key", (long)named.KeyId);
        command.Bind("@hash", named.Hash);
        command.Bind("@name", name);
        command.ExecuteNonQuery();
    }
}
