using System.Buffers.Text;
using System.Security.Cryptography;
using Mfa.Server.Store;

namespace Mfa.Server.Callers;

/// <summary>A row of the key list. Never holds the key.</summary>
internal sealed record ApiKeyInfo(string Name, string Tenant, Scopes Scopes, DateTimeOffset CreateTime, DateTimeOffset? RevokeTime);

/// <summary>
/// API keys of services: `mfa_` + 16 hex digits (the id, to look it up by) + `_` + 32 random bytes in Base64url. Only the
/// SHA-256 of the random bytes is stored; 256 random bits need no slower hash.
/// </summary>
internal sealed class ApiKeys(SqliteStore store, TimeProvider clock)
{
    private const string Prefix = "mfa_";
    private const int IdBytes = 8;
    private const int SecretBytes = 32;
    private const int IdEnd = 4 + 2 * IdBytes;
    private const int Length = IdEnd + 1 + 43;

    /// <returns>The key, to be shown once; null when a key of this name is in use.</returns>
    public async Task<string?> CreateAsync(string name, string tenant, Scopes scopes, string? disablePage = null)
    {
        var id = RandomNumberGenerator.GetBytes(IdBytes);
        var secret = RandomNumberGenerator.GetBytes(SecretBytes);
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var created = await store.WriteAsync(session =>
        {
            var command = session.Command("""
                INSERT INTO api_keys (id, tenant, name, scopes, hash, create_time, disable_page)
                VALUES (@id, @tenant, @name, @scopes, @hash, @now, @page)
                ON CONFLICT DO NOTHING
                """);
            command.Parameters.AddWithValue("@id", id);
            command.Parameters.AddWithValue("@tenant", tenant);
            command.Parameters.AddWithValue("@name", name);
            command.Parameters.AddWithValue("@scopes", (int)scopes);
            command.Parameters.AddWithValue("@hash", SHA256.HashData(secret));
            command.Parameters.AddWithValue("@page", disablePage ?? (object)DBNull.Value);
            command.Parameters.AddWithValue("@now", now);
            return command.ExecuteNonQuery() == 1;
        });
        return created ? $"{Prefix}{Convert.ToHexStringLower(id)}_{Base64Url.EncodeToString(secret)}" : null;
    }

    /// <summary>Newest last; revoked ones too.</summary>
    public List<ApiKeyInfo> List() => store.Read(session =>
    {
        var command = session.Command("SELECT name, tenant, scopes, create_time, revoke_time FROM api_keys ORDER BY create_time, name");
        using var row = command.ExecuteReader();
        var keys = new List<ApiKeyInfo>();
        while (row.Read())
        {
            keys.Add(new ApiKeyInfo(row.GetString(0), row.GetString(1), (Scopes)row.GetInt32(2),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
                row.IsDBNull(4) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4))));
        }

        return keys;
    });

    /// <summary>Takes effect at the next call, on open connections too.</summary>
    /// <returns>False when no key of this name is in use.</returns>
    public Task<bool> RevokeAsync(string name)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        return store.WriteAsync(session =>
        {
            var command = session.Command("UPDATE api_keys SET revoke_time = @now WHERE name = @name AND revoke_time IS NULL");
            command.Parameters.AddWithValue("@name", name);
            command.Parameters.AddWithValue("@now", now);
            return command.ExecuteNonQuery() == 1;
        });
    }

    /// <returns>Null for everything that is not exactly a key in use.</returns>
    public Principal? Authenticate(string key)
    {
        if (key.Length != Length || !key.StartsWith(Prefix, StringComparison.Ordinal) || key[IdEnd] != '_') return null;
        Span<byte> id = stackalloc byte[IdBytes];
        if (Convert.FromHexString(key.AsSpan(4, 2 * IdBytes), id, out _, out _) != System.Buffers.OperationStatus.Done) return null;
        Span<byte> secret = stackalloc byte[SecretBytes];
        var text = key.AsSpan(IdEnd + 1);
        if (!Base64Url.IsValid(text, out var bytes) || bytes != SecretBytes) return null; // decoding would throw
        Base64Url.DecodeFromChars(text, secret);

        var idBytes = id.ToArray();
        var (principal, hash) = store.Read(session => Find(session, idBytes));
        return principal is not null && CryptographicOperations.FixedTimeEquals(SHA256.HashData(secret), hash) ? principal : null;
    }

    private static (Principal? Principal, byte[]? Hash) Find(Session session, byte[] id)
    {
        var command = session.Command("SELECT tenant, name, scopes, hash, disable_page FROM api_keys WHERE id = @id AND revoke_time IS NULL");
        command.Parameters.AddWithValue("@id", id);
        using var row = command.ExecuteReader();
        if (!row.Read()) return default;
        var page = row.IsDBNull(4) ? null : row.GetString(4);
        return (new Principal(CallerKind.Service, row.GetString(0), row.GetString(1), (Scopes)row.GetInt32(2), page), row.GetFieldValue<byte[]>(3));
    }
}
