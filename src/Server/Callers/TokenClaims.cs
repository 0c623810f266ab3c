using System.Text.Json;

namespace Mfa.Server.Callers;

/// <summary>The claims of a token (RFC 7519 §4) that decide on it. Of another form than the standard's: not read.</summary>
internal sealed class TokenClaims
{
    private const int MaxName = 128;

    /// <summary>The first second that no calendar of this stack holds; seconds beyond would overflow.</summary>
    private const double EndOfTime = 253_402_300_800;

    private readonly JsonElement _claims;
    private readonly double _expire;
    private readonly double _notBefore;

    private TokenClaims(JsonElement claims, string issuer, double expire, double notBefore) =>
        (_claims, Issuer, _expire, _notBefore) = (claims, issuer, expire, notBefore);

    public string Issuer { get; }

    /// <returns>Null without a readable `iss` and `exp`, or with a `nbf` that is no time.</returns>
    public static TokenClaims? Read(byte[] payload)
    {
        if (SignedToken.ParseObject(payload) is not { } claims || SignedToken.Text(claims, "iss") is not { } issuer) return null;
        if (Seconds(claims, "exp") is not { } expire) return null;
        var notBefore = claims.TryGetProperty("nbf", out _) ? Seconds(claims, "nbf") : 0;
        return notBefore is { } start ? new TokenClaims(claims, issuer, expire, start) : null;
    }

    /// <summary>RFC 7519 §4.1.3: one text, or an array of them; one that is no text spoils the token.</summary>
    public bool IsFor(string audience) => _claims.TryGetProperty("aud", out var claim) && claim.ValueKind switch
    {
        JsonValueKind.String => SignedToken.Text(claim) == audience,
        JsonValueKind.Array => claim.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            && claim.EnumerateArray().Any(item => SignedToken.Text(item) == audience),
        _ => false,
    };

    /// <summary>RFC 7519 §4.1.4 and §4.1.5, with a tolerance for clocks that differ.</summary>
    public bool IsInTime(DateTimeOffset now, TimeSpan skew)
    {
        var seconds = now.ToUnixTimeMilliseconds() / 1000.0;
        return seconds < _expire + skew.TotalSeconds && seconds >= _notBefore - skew.TotalSeconds;
    }

    /// <returns>The claim when it is fit for logs and lists: printable ASCII without blanks.</returns>
    public string? Name(string claim) =>
        SignedToken.Text(_claims, claim) is { Length: >= 1 and <= MaxName } name && !name.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? name
            : null;

    /// <summary>
    /// Words in a text (RFC 8693 §4.2), or texts in an array. A word without the prefix, or without a meaning here, gives nothing.
    /// </summary>
    public Scopes Scopes(string claim, string prefix)
    {
        if (!_claims.TryGetProperty(claim, out var value)) return Callers.Scopes.None;
        IEnumerable<string?> words = value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray().Select(SignedToken.Text)
            : SignedToken.Text(value)?.Split(' ') ?? [];
        return words.OfType<string>()
            .Where(word => word.StartsWith(prefix, StringComparison.Ordinal))
            .Aggregate(Callers.Scopes.None, (scopes, word) => scopes | ScopeNames.One(word[prefix.Length..]));
    }

    /// <summary>RFC 7519 §2, NumericDate: a number, never a text.</summary>
    private static double? Seconds(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var claim) && claim.ValueKind == JsonValueKind.Number && claim.TryGetDouble(out var seconds)
        && seconds is > 0 and < EndOfTime ? seconds : null;
}
