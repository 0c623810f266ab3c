using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Mfa.Server.Callers;

/// <summary>What a caller presented.</summary>
internal abstract record Credential
{
    private const int MaxLength = 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>
    /// Reads the one credential of a call. Null for none, for several, and for one of an unknown form: of two, one could be
    /// somebody else's, and nobody could say who called.
    /// </summary>
    /// <param name="certificate">What the client presented when the connection was made; null for nothing.</param>
    /// <param name="authorization">All values of the header. No other header says who calls.</param>
    public static Credential? Read(X509Certificate2? certificate, StringValues authorization)
    {
        if (certificate is not null) return authorization.Count == 0 ? new CertificateCredential(certificate) : null;
        if (authorization.Count != 1 || authorization[0] is not { } text) return null;
        var space = text.IndexOf(' ');
        if (space < 0) return null;
        var value = text[(space + 1)..];
        return text[..space].ToLowerInvariant() switch // RFC 9110 §11.1: the scheme is case-insensitive
        {
            "bearer" when value.StartsWith(ApiKeys.Prefix, StringComparison.Ordinal) => new KeyCredential(value),
            "bearer" => new TokenCredential(value),
            "basic" when value.Length <= MaxLength => ReadBasic(value),
            _ => null,
        };
    }

    public sealed override string ToString() => GetType().Name;

    /// <summary>RFC 7617: Base64 of name, a colon, and a password that may hold further colons.</summary>
    private static PasswordCredential? ReadBasic(string value)
    {
        try
        {
            var pair = StrictUtf8.GetString(Convert.FromBase64String(value));
            var colon = pair.IndexOf(':');
            return colon < 0 ? null : new PasswordCredential(pair[..colon], pair[(colon + 1)..]);
        }
        catch (Exception broken) when (broken is FormatException or ArgumentException)
        {
            return null;
        }
    }
}

internal sealed record KeyCredential(string Key) : Credential;

/// <summary>No API key begins like one: it can only be a token of an issuer.</summary>
internal sealed record TokenCredential(string Token) : Credential;

internal sealed record CertificateCredential(X509Certificate2 Certificate) : Credential;

internal sealed record PasswordCredential(string Name, string Password) : Credential;
