using System.Buffers.Binary;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>How many values of one kind need one ring key.</summary>
internal sealed record KeyUse(string Kind, uint KeyId, long Count);

/// <summary>
/// What in the database needs which ring key. Everything that is protected tells its key without being opened: sealed values
/// in their header, keyed hashes in a column beside them. What is not listed here can be left behind by a rotation.
/// </summary>
internal static class KeyUses
{
    private static readonly (string Kind, string Count)[] Kinds =
    [
        ("secrets", """
            SELECT key, count(*) FROM (
                SELECT substr(f_secret, 2, 4) AS key FROM accounts WHERE f_secret IS NOT NULL
                UNION ALL SELECT substr(p_secret, 2, 4) FROM accounts WHERE p_secret IS NOT NULL) AS uses GROUP BY key
            """),
        ("addresses", """
            SELECT key, count(*) FROM (
                SELECT substr(f_email, 2, 4) AS key FROM accounts WHERE f_email IS NOT NULL
                UNION ALL SELECT substr(f_phone, 2, 4) FROM accounts WHERE f_phone IS NOT NULL
                UNION ALL SELECT substr(p_email, 2, 4) FROM accounts WHERE p_email IS NOT NULL
                UNION ALL SELECT substr(p_phone, 2, 4) FROM accounts WHERE p_phone IS NOT NULL
                UNION ALL SELECT substr(email, 2, 4) FROM users
                UNION ALL SELECT substr(phone, 2, 4) FROM users WHERE phone IS NOT NULL) AS uses GROUP BY key
            """),
        ("recovery_sets", """
            SELECT key, count(*) FROM (
                SELECT f_recovery_key AS key FROM accounts WHERE f_recovery_key IS NOT NULL
                UNION ALL SELECT p_recovery_key FROM accounts WHERE p_recovery_key IS NOT NULL) AS uses GROUP BY key
            """),
        ("sent_codes", """
            SELECT key, count(*) FROM (
                SELECT f_code_key AS key FROM accounts WHERE f_code_key IS NOT NULL
                UNION ALL SELECT p_code_key FROM accounts WHERE p_code_key IS NOT NULL) AS uses GROUP BY key
            """),
        ("passwords", "SELECT password_key, count(*) FROM users GROUP BY password_key"),
        ("messages", "SELECT substr(content, 2, 4) AS key, count(*) FROM outbox WHERE content IS NOT NULL GROUP BY key"),
        ("standing_key", "SELECT substr(content, 2, 4) AS key, count(*) FROM standing_key GROUP BY key"),
        ("audit", "SELECT key_id, count(*) FROM (SELECT key_id FROM audit_head UNION ALL SELECT key_id FROM audit_checkpoints) AS uses GROUP BY key_id"),
    ];

    public static IEnumerable<string> KindNames => Kinds.Select(kind => kind.Kind);

    /// <summary>Reads every row, and opens none.</summary>
    public static List<KeyUse> Count(IStore store) => store.Read(session =>
    {
        var uses = new List<KeyUse>();
        foreach (var (kind, sql) in Kinds)
        {
            using var row = session.Command(sql).ExecuteReader();
            while (row.Read()) uses.Add(new KeyUse(kind, KeyIdOf(row.GetValue(0)), row.GetInt64(1)));
        }

        return uses;
    });

    private static uint KeyIdOf(object key) => key is byte[] { Length: sizeof(uint) } header
        ? BinaryPrimitives.ReadUInt32BigEndian(header)
        : key is long id ? (uint)id : 0; // a value too short to name a key: no ring has a key 0
}
