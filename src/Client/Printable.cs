using System.Globalization;
using System.Text;

namespace Mfa.Client;

/// <summary>Text as it may reach a terminal: a server, or whoever chose a label, must not move the cursor, recolour a
/// line or turn the reading direction so that a refusal looks like a success.</summary>
internal static class Printable
{
    public static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (!MayAct(rune)) clean.Append(rune);
        }
        return clean.ToString();
    }

    private static bool MayAct(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control // C0 and C1, so ESC and the one-byte CSI
        or UnicodeCategory.Format // bidirectional overrides, zero-width characters
        or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator;
}
