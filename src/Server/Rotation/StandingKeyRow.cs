using System.Security.Cryptography;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>The one row of the standing_key table.</summary>
internal static class StandingKeyRow
{
    /// <summary>Opens the standing key; on the first start makes it.</summary>
    /// <exception cref="StartRefusedException">It does not open: limits and repeated requests would be looked up in vain.</exception>
    public static async Task<StandingKey> LoadAsync(IStore store, Sealer sealer)
    {
        var content = store.Read(Find);
        if (content is null)
        {
            var fresh = sealer.Seal(StandingKey.NewBytes(), Sealer.StandingKeyBinding());
            content = await store.WriteAsync(session => // two programs may start at once: the first one's stays
            {
                var command = session.Command("INSERT INTO standing_key (id, content) VALUES (1, @content) ON CONFLICT DO NOTHING");
                command.Bind("@content", fresh.Bytes);
                command.ExecuteNonQuery();
                return Find(session);
            });
        }

        try
        {
            return new StandingKey(sealer.Open(new SealedBytes(content!), Sealer.StandingKeyBinding()));
        }
        catch (CryptographicException)
        {
            throw new StartRefusedException("The standing key of this database does not open: it was altered. Restore the database from a backup.");
        }
    }

    public static byte[]? Find(Session session) => session.Command("SELECT content FROM standing_key").ExecuteScalar() as byte[];

    /// <returns>False when it is another one by now.</returns>
    public static bool Replace(Session session, byte[] old, byte[] resealed)
    {
        var command = session.Command("UPDATE standing_key SET content = @new WHERE content = @old");
        command.Bind("@new", resealed);
        command.Bind("@old", old);
        return command.ExecuteNonQuery() == 1;
    }
}
