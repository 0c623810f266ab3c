using System.Buffers.Binary;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Mfa.Server.Domain;
using Mfa.Server.Store;

namespace Mfa.Server.Callers;

/// <summary>A row of the key list. Never holds the key.</summary>
internal sealed record ApiKeyInfo(
    string Name, string Id, string Tenant, Scopes Scopes, DateTimeOffset CreateTime,
    DateTimeOffset? ExpireTime, DateTimeOffset? LastUseTime, DateTimeOffset? RevokeTime);

/// <summary>A key that was in use when the database was last asked.</summary>
/// <param name="Seen">When that was, as a timestamp of the monotonic clock.</param>
internal sealed record KnownKey(Principal Caller, byte[] Hash, DateTimeOffset? ExpireTime, long Seen = 0)
{
    private int _looking;

    /// <summary>Whether the caller is the first who asks.</summary>
    public bool TryLook() => Interlocked.Exchange(ref _looking, 1) == 0;
}

/// <summary>
/// API keys of services: `mfa_` + 16 hex digits (the id, to look it up by) + `_` + 32 random bytes in Base64url. Only the
/// SHA-256 of the random bytes is stored; 256 random bits need no slower hash. A name may have several keys at once; they are
/// one caller.
/// </summary>
internal sealed class ApiKeys(IStore store, TimeProvider clock)
{
    public const string Prefix = "mfa_";

    private const int IdBytes = 8;
    private const int SecretBytes = 32;
    private const int IdEnd = 4 + 2 * IdBytes;
    private const int Length = IdEnd + 1 + 43;

    /// <summary>How exactly the last use is noted.</summary>
    private static readonly long UseEvery = (long)TimeSpan.FromSeconds(1).TotalMilliseconds;

    private readonly ConcurrentDictionary<long, KnownKey> _known = [];
    private ConcurrentDictionary<long, long> _uses = [];

    /// <returns>The key, to be shown once; null when this name has keys for another tenant, other scopes or another page.</returns>
    public async Task<string?> CreateAsync(
        string name, string tenant, Scopes scopes, string? disablePage = null, DateTimeOffset? expireTime = null)
    {
        var id = RandomNumberGenerator.GetBytes(IdBytes);
        var secret = RandomNumberGenerator.GetBytes(SecretBytes);
        var now = clock.GetUtcNow();
        var created = await store.WriteAsync(session =>
        {
            var caller = new Principal(CallerKind.Service, tenant, name, scopes, disablePage);
            // All keys of a name are one caller: what one may do, the other may.
            if (ApiKeyRows.FindByName(session, name, now) is { } known)
            {
                caller = caller with { DisablePage = disablePage ?? known.DisablePage };
                if (caller != known) return false;
            }

            ApiKeyRows.Add(session, id, caller, SHA256.HashData(secret), now, expireTime);
            session.Audit(Operator.Did($"keys create {name} --scopes {ScopeNames.Print(scopes)}", now, new AccountKey(tenant, "")));
            return true;
        });
        return created ? $"{Prefix}{Convert.ToHexStringLower(id)}_{Base64Url.EncodeToString(secret)}" : null;
    }

    /// <summary>Newest last; revoked ones too.</summary>
    public List<ApiKeyInfo> List() => store.Read(ApiKeyRows.List);

    /// <summary>Takes effect at the next call, on open connections too.</summary>
    /// <param name="id">One key of the name, as the list shows it; null for all.</param>
    /// <returns>How many were in use and are not any more.</returns>
    public async Task<int> RevokeAsync(string name, string? id = null)
    {
        var now = clock.GetUtcNow();
        var count = await store.WriteAsync(session =>
        {
            var revoked = ApiKeyRows.Revoke(session, name, id is null ? null : Convert.FromHexString(id), now);
            if (revoked > 0) session.Audit(Operator.Did(id is null ? $"keys revoke {name}" : $"keys revoke {name} --id {id}", now));
            return revoked;
        });
        _known.Clear();
        return count;
    }

    /// <returns>Null for everything that is not exactly a key in use.</returns>
    public Principal? Authenticate(string key)
    {
        if (key.Length != Length || !key.StartsWith(Prefix, StringComparison.Ordinal) || key[IdEnd] != '_') return null;
        var id = new byte[IdBytes];
        if (Convert.FromHexString(key.AsSpan(4, 2 * IdBytes), id, out _, out _) != System.Buffers.OperationStatus.Done) return null;
        Span<byte> secret = stackalloc byte[SecretBytes];
        var text = key.AsSpan(IdEnd + 1);
        if (!Base64Url.IsValid(text, out var bytes) || bytes != SecretBytes) return null; // decoding would throw
        Base64Url.DecodeFromChars(text, secret);

        var now = clock.GetUtcNow();
        if (Find(id, now) is not { } known || known.ExpireTime <= now || !CryptographicOperations.FixedTimeEquals(SHA256.HashData(secret), known.Hash)) return null;
        NoteUse(id, now.ToUnixTimeMilliseconds());
        return known.Caller;
    }

    /// <summary>Notes when keys were last used. They are kept in memory until then: a call must not wait for that.</summary>
    public async Task SaveUsesAsync()
    {
        var uses = Interlocked.Exchange(ref _uses, []); // one noted in the old one just now is lost, and noted at its next use
        if (uses.IsEmpty) return;
        await store.WriteAsync(session => uses.Sum(use =>
        {
            var id = new byte[IdBytes];
            BinaryPrimitives.WriteInt64BigEndian(id, use.Key);
            return ApiKeyRows.NoteUse(session, id, use.Value);
        }));
    }

    /// <summary>
    /// Looks into the database again and again, but not for every one of thousands of calls a second. Shortly before a key has been
    /// known for too long one of them looks, so that the others need not all do it at once.
    /// </summary>
    private KnownKey? Find(byte[] id, DateTimeOffset now)
    {
        var number = BinaryPrimitives.ReadInt64BigEndian(id);
        if (_known.TryGetValue(number, out var known) && Stopwatch.GetElapsedTime(known.Seen) is var age && age < store.KeyLifetime
            && (age < store.KeyLifetime * 0.75 || !known.TryLook())) return known;

        var seen = Stopwatch.GetTimestamp(); // before the look: what changes after it is found in time
        var found = store.Read(session => ApiKeyRows.Find(session, id, now));
        if (found is null)
        {
            _known.TryRemove(number, out _);
            return null;
        }

        return _known[number] = found with { Seen = seen };
    }

    private void NoteUse(byte[] id, long time)
    {
        var (uses, number) = (_uses, BinaryPrimitives.ReadInt64BigEndian(id));
        if (!uses.TryGetValue(number, out var noted) || time - noted >= UseEvery) uses[number] = time;
    }
}
