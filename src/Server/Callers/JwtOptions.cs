namespace Mfa.Server.Callers;

/// <summary>An issuer whose tokens (RFC 7519) services may call with. One that is not named here is not believed.</summary>
internal sealed record JwtOptions
{
    /// <summary>The algorithms that can be chosen: none that verifies with the key it signs with.</summary>
    public const string AcceptedAlgorithms = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or ES512";

    private static readonly string[] UsualAlgorithms = ["RS256", "PS256", "ES256"];

    /// <summary>How far the clocks of issuer and server may differ. Five minutes are usual, and too much.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    /// <summary>The exact `iss` of its tokens. None: no such issuer.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>What `aud` must name: a token for another service is none for this one.</summary>
    public string Audience { get; init; } = "";

    /// <summary>A JWK Set (RFC 7517 §5) of the issuer's public keys.</summary>
    public string KeysFile { get; init; } = "";

    /// <summary>Where the issuer publishes that set.</summary>
    public string KeysUrl { get; init; } = "";

    /// <summary>Which signatures are accepted, whatever a token's header says.</summary>
    /// <value>Default RS256, PS256 and ES256.</value>
    public IReadOnlyList<string> Algorithms { get; init; } = UsualAlgorithms;

    /// <summary>The tenant of all its callers. None: the tenant claim tells.</summary>
    public string Tenant { get; init; } = "";

    /// <value>Default tenant.</value>
    public string TenantClaim { get; init; } = "tenant";

    /// <summary>The claim with the scopes, as words in a text or texts in an array. Words that mean nothing here are passed over.</summary>
    /// <value>Default scope.</value>
    public string ScopeClaim { get; init; } = "scope";

    /// <summary>What stands before `verify`, `enroll`, `disable` and `admin` in that claim, such as mfa:.</summary>
    public string ScopePrefix { get; init; } = "";

    /// <summary>The claim that names the caller.</summary>
    /// <value>Default sub.</value>
    public string NameClaim { get; init; } = "sub";

    /// <summary>How often the keys are read again: so long can a removed key go on working.</summary>
    /// <value>1 to 86,400 seconds. Default 300.</value>
    public TimeSpan Refresh { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the last good keys are used when reading fails. After that no token is accepted.</summary>
    /// <value>10 to 604,800 seconds. Default 3,600.</value>
    public TimeSpan Keep { get; init; } = TimeSpan.FromHours(1);

    public static bool IsAlgorithm(string name) =>
        name is "RS256" or "RS384" or "RS512" or "PS256" or "PS384" or "PS512" or "ES256" or "ES384" or "ES512";

    /// <returns>What is half configured, as one line; null when nothing is.</returns>
    public static string? Incomplete(JwtOptions first, JwtOptions second) =>
        first.Incomplete("jwt") ?? second.Incomplete("jwt2")
        ?? (first.Issuer.Length > 0 && first.Issuer == second.Issuer
            ? "Settings jwt:issuer and jwt2:issuer are the same: one issuer has one audience."
            : null);

    private string? Incomplete(string section)
    {
        if (Issuer.Length == 0)
            return this == new JwtOptions() ? null : $"Setting {section}:issuer is missing, but others of {section} are given.";
        if (Audience.Length == 0) return $"Setting {section}:audience is missing: without it a token for any other service would do.";
        if (KeysFile.Length == 0 == (KeysUrl.Length == 0))
            return $"Settings {section}:keysFile and {section}:keysUrl: give exactly one, the keys of the issuer.";
        if (Keep <= Refresh) return $"Setting {section}:keepSeconds must be more than {section}:refreshSeconds.";
        return null;
    }
}
