using Mfa.Server.Domain;

namespace Mfa.Server.Callers;

/// <summary>Services that call with a token of a configured issuer.</summary>
internal sealed class JwtCallers(IReadOnlyList<JwtIssuer> issuers)
{
    public IEnumerable<IssuerKeySource> Keys => issuers.Select(issuer => issuer.Keys);

    /// <exception cref="StartRefusedException">A file of keys cannot be used.</exception>
    public static JwtCallers From(Settings settings, TimeProvider clock)
    {
        var issuers = new List<JwtIssuer>();
        foreach (var (section, options) in new[] { ("jwt", settings.Jwt), ("jwt2", settings.SecondJwt) })
        {
            if (options.Issuer.Length == 0) continue;
            var keys = new IssuerKeySource(options, clock);
            if (options.KeysFile.Length > 0) RefuseUnusable($"{section}:keysFile", options.KeysFile, keys);
            issuers.Add(new JwtIssuer(section, options, keys, clock));
        }

        return new JwtCallers(issuers);
    }

    /// <returns>Null for everything that is not exactly a valid token for this service.</returns>
    public async ValueTask<Principal?> AuthenticateAsync(string text, CancellationToken ct)
    {
        if (issuers.Count == 0 || SignedToken.Read(text) is not { } token || TokenClaims.Read(token.Payload) is not { } claims) return null;
        // The issuer is believed here only as far as to choose whose keys must prove it.
        var issuer = issuers.FirstOrDefault(issuer => issuer.Name == claims.Issuer);
        return issuer is null ? null : await issuer.AuthenticateAsync(token, claims, ct);
    }

    private static void RefuseUnusable(string setting, string path, IssuerKeySource keys)
    {
        try
        {
            keys.RefreshAsync(CancellationToken.None).GetAwaiter().GetResult(); // a file, before anything is served
        }
        catch (IssuerKeysException why)
        {
            throw new StartRefusedException($"Setting {setting}: {path}: {why.Message}.");
        }
    }
}

/// <summary>One issuer: what its tokens must be, and which caller they make.</summary>
internal sealed class JwtIssuer(string section, JwtOptions options, IssuerKeySource keys, TimeProvider clock)
{
    public string Name => options.Issuer;

    public IssuerKeySource Keys => keys;

    public async ValueTask<Principal?> AuthenticateAsync(SignedToken token, TokenClaims claims, CancellationToken ct)
    {
        // What costs nothing comes first: most of what is wrong needs no key and no signature.
        if (!IsType(token.Type) || !options.Algorithms.Contains(token.Algorithm)) return null;
        if (!claims.IsFor(options.Audience) || !claims.IsInTime(clock.GetUtcNow(), JwtOptions.ClockSkew)) return null;
        var tenant = options.Tenant.Length > 0 ? options.Tenant : claims.Name(options.TenantClaim);
        if (tenant is null || !AccountKey.IsName(tenant) || claims.Name(options.NameClaim) is not { } name) return null;

        if (await keys.FindAsync(token.KeyId, token.Algorithm, ct) is not { } key || !token.IsSignedBy(key)) return null;
        return new Principal(CallerKind.Service, tenant, name, claims.Scopes(options.ScopeClaim, options.ScopePrefix)) { Origin = section };
    }

    /// <summary>
    /// RFC 7519 §5.1 and RFC 9068 §2.1; RFC 7515 §4.1.9 lets `application/` be left out. Anything else is a token for another use.
    /// </summary>
    private static bool IsType(string? type) => type?.ToLowerInvariant() is "jwt" or "at+jwt" or "application/jwt" or "application/at+jwt";
}
