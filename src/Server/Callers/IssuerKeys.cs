using Microsoft.IdentityModel.Tokens;

namespace Mfa.Server.Callers;

/// <summary>
/// The public keys of an issuer that may verify signatures, each under its id and the algorithms it is for. A key for anything
/// else is passed over, as RFC 7517 §5 asks; so is one whose use cannot be told for sure.
/// </summary>
internal sealed class IssuerKeys
{
    /// <summary>NIST SP 800-131A: below it RSA is no longer good.</summary>
    private const int LeastRsaBits = 2048;

    private readonly Dictionary<(string KeyId, string Algorithm), JsonWebKey> _keys;

    private IssuerKeys(Dictionary<(string KeyId, string Algorithm), JsonWebKey> keys) => _keys = keys;

    public bool IsEmpty => _keys.Count == 0;

    /// <returns>Null when it is no JWK Set.</returns>
    public static IssuerKeys? Parse(string json)
    {
        try
        {
            var set = JsonWebKeySet.Create(json);
            return new IssuerKeys(set.Keys
                .SelectMany(key => AlgorithmsOf(key).Select(algorithm => (Name: (key.Kid, algorithm), Key: key)))
                .GroupBy(entry => entry.Name)
                .Where(group => group.Count() == 1) // two keys of one id: nobody can say which is meant
                .ToDictionary(group => group.Key, group => group.Single().Key));
        }
        catch (Exception broken) when (broken is ArgumentException or FormatException or System.Text.Json.JsonException)
        {
            return null;
        }
    }

    public JsonWebKey? Find(string keyId, string algorithm) => _keys.GetValueOrDefault((keyId, algorithm));

    private static IEnumerable<string> AlgorithmsOf(JsonWebKey key)
    {
        if (string.IsNullOrEmpty(key.Kid) || !string.IsNullOrEmpty(key.D)) return [];
        if (!string.IsNullOrEmpty(key.Use) && key.Use != "sig") return [];
        if (key.KeyOps.Count > 0 && !key.KeyOps.Contains("verify")) return [];
        string[] able = (key.Kty, key.Crv) switch
        {
            ("RSA", _) when key is { N.Length: > 0, E.Length: > 0, KeySize: >= LeastRsaBits } =>
                ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
            ("EC", "P-256") => ["ES256"], // RFC 7518 §3.4: each curve has its algorithm
            ("EC", "P-384") => ["ES384"],
            ("EC", "P-521") => ["ES512"],
            _ => [],
        };
        return string.IsNullOrEmpty(key.Alg) ? able : able.Where(algorithm => algorithm == key.Alg);
    }
}
