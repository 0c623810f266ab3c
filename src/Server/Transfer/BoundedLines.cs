using System.Text;

namespace Mfa.Server.Transfer;

/// <param name="Number">Counts from 1.</param>
/// <param name="Problem">Why there is no text; null when there is.</param>
internal readonly record struct BoundedLine(long Number, string Text, string? Problem)
{
    public string Place => $"line {Number}";

    public override string ToString() => nameof(BoundedLine);
}

/// <summary>Reads a text file line by line, whatever is in it, with as little memory as its longest accepted line.</summary>
internal static class BoundedLines
{
    public const int LongestLine = 65_536;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Lines that are not blank. One that is too long or no UTF-8 comes with its problem, and the ones after it as usual.</summary>
    public static IEnumerable<BoundedLine> Read(Stream file)
    {
        using var buffered = new BufferedStream(file, LongestLine);
        var line = new byte[LongestLine];
        var (number, length) = (1L, 0);
        while (true)
        {
            var next = buffered.ReadByte();
            if (next is not ('\n' or -1))
            {
                if (length < LongestLine) line[length] = (byte)next;
                length = Math.Min(length + 1, LongestLine + 1);
                continue;
            }

            if (TextOf(number, line, length) is { } read && (read.Problem is not null || read.Text.Length > 0)) yield return read;
            if (next < 0) yield break;
            (number, length) = (number + 1, 0);
        }
    }

    private static BoundedLine TextOf(long number, byte[] line, int length)
    {
        if (length > LongestLine) return new BoundedLine(number, "", $"longer than {LongestLine} bytes");
        try
        {
            return new BoundedLine(number, Strict.GetString(line, 0, length).Trim('\uFEFF', ' ', '\t', '\r'), Problem: null);
        }
        catch (DecoderFallbackException)
        {
            return new BoundedLine(number, "", "not UTF-8");
        }
    }
}
