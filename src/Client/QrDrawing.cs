using QRCoder;

namespace Mfa.Client;

/// <summary>A QR code as text: one character is two modules, one above the other, because a character cell is about
/// twice as high as wide. The quiet zone of four modules (ISO/IEC 18004 §6.3.8) is part of the drawing.</summary>
internal sealed class QrDrawing
{
    // Black on white from the fixed part of the 256-colour palette, which themes leave alone, unlike the first 16.
    private const string BlackOnWhite = "\u001b[38;5;16;48;5;231m";
    private const string Reset = "\u001b[0m";

    // Far beyond any real key URI, and far below what a QR code can hold (2,953 bytes).
    private const int LongestText = 1000;

    private readonly QRCodeData _code;

    private QrDrawing(QRCodeData code) => _code = code;

    public int Width => _code.ModuleMatrix.Count;

    /// <returns>Null when the text is empty or too long for a code that a phone could read from a screen.</returns>
    public static QrDrawing? Of(string text)
    {
        if (text.Length is 0 or > LongestText) return null;
        // Level L: a screen is neither torn nor stained, and the smaller code fits an 80×24 terminal best.
        return new QrDrawing(QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.L));
    }

    /// <param name="colour">With colour the paper is white whatever the theme. Without it the light modules are the
    /// drawn ones, which is right on a dark terminal; readers also know inverted codes, but not all of them.</param>
    public IEnumerable<string> Rows(bool colour)
    {
        for (var y = 0; y < Width; y += 2)
        {
            var row = new char[Width];
            for (var x = 0; x < Width; x++)
            {
                row[x] = (Inked(x, y, colour), Inked(x, y + 1, colour)) switch
                {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                };
            }
            yield return colour ? BlackOnWhite + new string(row) + Reset : new string(row);
        }
    }

    // The side is odd: the missing lower half of the last row counts as more quiet zone.
    private bool Inked(int x, int y, bool colour) => (y < Width && _code.ModuleMatrix[y][x]) == colour;
}
