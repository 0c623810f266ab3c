using System.Text;
using Microsoft.Extensions.Primitives;

namespace Mfa.Server.Callers;

/// <summary>What a caller presented.</summary>
internal abstract record Credential
{
    private const int MaxLength = 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads the one `authorization` value. Null for none, several, or one of an unknown form.</summary>
    public static Credential? Read(StringValues authorization)
    {
        if (authorization.Count != 1 || authorization[0] is not { Length: <= MaxLength } text) return null;
        var space = text.IndexOf(' ');
        if (space < 0) return null;
        var value = text[(space + 1)..];
        return text[..space].ToLowerInvariant() switch // RFC 9110 §11.1: the scheme is case-insensitive
        {
            "bearer" => new KeyCredential(value),
            "basic" => ReadBasic(value),
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

internal sealed record PasswordCredential(string Name, string Password) : Credential;
