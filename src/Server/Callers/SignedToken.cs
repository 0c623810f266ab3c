using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.IdentityModel.Tokens;

namespace Mfa.Server.Callers;

/// <summary>
/// A signed token in compact form (RFC 7515 §3.1), taken apart strictly: what could be read in two ways is not read at all.
/// Nothing in it is to be believed until <see cref="IsSignedBy"/> has said so.
/// </summary>
internal sealed class SignedToken
{
    /// <summary>Tokens are a few hundred bytes, a few thousand with long lists of groups.</summary>
    public const int MaxLength = 8192;

    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>Two members of one name would let the checker and the signer see different ones (RFC 7515 §4).</summary>
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>
    /// `crit` names extensions that we would have to understand (RFC 7515 §4.1.11). The others bring or name a key: keys come from
    /// the issuer's own set alone.
    /// </summary>
    private static readonly string[] Refused = ["crit", "jku", "jwk", "x5u", "x5c"];

    private readonly byte[] _signed;
    private readonly byte[] _signature;

    private SignedToken(string algorithm, string keyId, string? type, byte[] payload, byte[] signed, byte[] signature) =>
        (Algorithm, KeyId, Type, Payload, _signed, _signature) = (algorithm, keyId, type, payload, signed, signature);

    public string Algorithm { get; }

    public string KeyId { get; }

    public string? Type { get; }

    public byte[] Payload { get; }

    /// <returns>Null for what has not exactly this form.</returns>
    public static SignedToken? Read(string text)
    {
        if (text.Length > MaxLength) return null;
        var parts = text.Split('.');
        if (parts.Length != 3) return null;
        if (Decode(parts[0]) is not { } header || Decode(parts[1]) is not { } payload || Decode(parts[2]) is not { } signature) return null;
        if (signature.Length == 0 || ParseObject(header) is not { } members) return null;
        if (Refused.Any(name => members.TryGetProperty(name, out _))) return null;
        if (Text(members, "alg") is not { } algorithm || Text(members, "kid") is not { Length: > 0 } keyId) return null;
        var type = members.TryGetProperty("typ", out _) ? Text(members, "typ") ?? "" : null;
        return new SignedToken(algorithm, keyId, type, payload, Encoding.ASCII.GetBytes(text[..text.LastIndexOf('.')]), signature);
    }

    /// <param name="key">A key that is meant for <see cref="Algorithm"/>: never one that the token chose.</param>
    public bool IsSignedBy(SecurityKey key)
    {
        var provider = key.CryptoProviderFactory.CreateForVerifying(key, Algorithm);
        try
        {
            return provider.Verify(_signed, _signature);
        }
        catch (CryptographicException)
        {
            return false; // a signature of another length than the key makes
        }
        finally
        {
            key.CryptoProviderFactory.ReleaseSignatureProvider(provider);
        }
    }

    public override string ToString() => nameof(SignedToken);

    /// <returns>The object's members; null when the bytes are not one JSON object with each name once.</returns>
    public static JsonElement? ParseObject(byte[] json)
    {
        if (!Utf8.IsValid(json)) return null;
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <returns>The member's text; null when there is none, when it is no text, or when half a surrogate pair is in it.</returns>
    public static string? Text(JsonElement members, string name) => members.TryGetProperty(name, out var member) ? Text(member) : null;

    public static string? Text(JsonElement member)
    {
        try
        {
            return member.ValueKind == JsonValueKind.String ? member.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>RFC 7515 §2: no padding, no blanks, and the bits that mean nothing are zero, so that bytes have one spelling.</summary>
    private static byte[]? Decode(string part) =>
        !part.AsSpan().ContainsAnyExcept(Alphabet) && Base64Url.IsValid(part) ? Base64Url.DecodeFromChars(part) : null;
}
