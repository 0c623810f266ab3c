using System.Globalization;
using System.Text;

namespace Mfa.Server.Domain;

/// <summary>The key URI that authenticator apps scan: otpauth://totp/Issuer:label?secret=…</summary>
internal static class KeyUri
{
    public const int MaxLabel = 64;

    public const string AcceptedLabel = "use 1 to 64 printable characters without a colon";

    /// <summary>
    /// A label that no app can misread: apps split at the colon, and control, format and line-break characters would
    /// show another name than the one scanned.
    /// </summary>
    public static bool IsLabel(string text)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Length > 2 * MaxLabel || text.Contains(':')) return false;
        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            length++;
            if (rune == Rune.ReplacementChar) return false;
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned) return false;
        }

        return length <= MaxLabel;
    }

    /// <summary>Algorithm, digits and period are always written, although most apps ignore values that are not the usual ones.</summary>
    public static string For(string issuer, string label, string base32Secret, TotpParameters totp)
    {
        var (i, l) = (Uri.EscapeDataString(issuer), Uri.EscapeDataString(label));
        var algorithm = totp.Algorithm.ToString().ToUpperInvariant();
        return $"otpauth://totp/{i}:{l}?secret={base32Secret}&issuer={i}&algorithm={algorithm}" +
               $"&digits={totp.Digits}&period={totp.PeriodSeconds}";
    }
}
