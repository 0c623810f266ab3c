using System.Security.Cryptography;
using System.Text;

namespace Mfa.Server.Domain;

/// <summary>
/// What somebody typed as a code, already known to have an acceptable form. The form alone tells a code of digits from
/// a recovery code; anything else is not a guess and is never looked up.
/// </summary>
internal abstract class SubmittedCode
{
    /// <summary>More than any spelling of a recovery code needs, and a bound on what a caller can make us clean up.</summary>
    public const int MaxLength = 64;

    public const string Accepted =
        "give the digits alone (ASCII, 6 unless more were enrolled), or a recovery code of 25 letters and digits";

    /// <summary>The code in its one canonical spelling, as compared and hashed.</summary>
    public abstract ReadOnlySpan<byte> Bytes { get; }

    /// <returns>Null when the text has neither form.</returns>
    public static SubmittedCode? Parse(string text) => OtpCode.Parse(text) as SubmittedCode ?? RecoveryCode.Parse(text);

    /// <summary>Never the code: a value that ends up in a log or a message says only what it is.</summary>
    public sealed override string ToString() => GetType().Name;
}

/// <summary>The digits of an authenticator or sent code.</summary>
internal sealed class OtpCode : SubmittedCode
{
    public const int SentDigits = 6;

    private readonly byte[] _digits;

    private OtpCode(byte[] digits) => _digits = digits;

    public int Length => _digits.Length;

    public override ReadOnlySpan<byte> Bytes => _digits;

    /// <summary>A random code to be sent. Every number of digits is as likely as any other.</summary>
    public static OtpCode NewToSend()
    {
        var digits = new byte[SentDigits];
        for (var i = 0; i < digits.Length; i++) digits[i] = (byte)('0' + RandomNumberGenerator.GetInt32(10));
        return new OtpCode(digits);
    }

    /// <summary>The code itself. Only for the message that carries it.</summary>
    public string Reveal() => Encoding.ASCII.GetString(_digits);

    /// <summary>
    /// Exactly 6 to 8 ASCII digits. int.Parse and \d would also take signs, blanks, NUL and the digits of other
    /// scripts, so that one code had many spellings.
    /// </summary>
    public static new OtpCode? Parse(string text)
    {
        if (text.Length is < 6 or > 8) return null;
        var digits = new byte[text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsAsciiDigit(text[i])) return null;
            digits[i] = (byte)text[i];
        }

        return new OtpCode(digits);
    }
}
