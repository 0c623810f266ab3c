using System.Buffers.Text;

namespace Mfa.Server.Domain;

/// <summary>The stored side of a mailed token that may switch a factor off.</summary>
/// <param name="Hash">SHA-256 of 32 random bytes: nothing slower is needed.</param>
/// <param name="EnrollmentId">The factor it was asked for; it does nothing to another.</param>
/// <param name="ExpireTime">15 minutes after it was asked for.</param>
internal sealed record DisableToken(byte[] Hash, Guid EnrollmentId, DateTimeOffset ExpireTime)
{
    public const int SecretBytes = 32;

    public const string Accepted = "paste the 43 characters from the message, nothing more";

    /// <summary>The token as it is mailed.</summary>
    public static string TextOf(byte[] secret) => Base64Url.EncodeToString(secret);

    /// <summary>Reads the one spelling of a token: padding, blanks or stray bits in the last symbol make it another text.</summary>
    /// <returns>Null when it is no token.</returns>
    public static byte[]? Parse(string text)
    {
        var secret = new byte[SecretBytes];
        var canonical = Base64Url.IsValid(text, out var length) && length == SecretBytes // decoding anything else would throw
            && Base64Url.TryDecodeFromChars(text, secret, out _) && TextOf(secret) == text;
        return canonical ? secret : null;
    }
}
