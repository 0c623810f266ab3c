namespace Mfa.Server.Transfer;

/// <summary>Reads the secrets of other programs: Base32 (RFC 4648 §6) as it is found, which is not always as it should be.</summary>
internal static class Base32
{
    private const int LongestText = 1024;

    /// <summary>
    /// Either case, blanks and hyphens between groups, with padding or without. Lengths that no encoder makes exist in the field:
    /// bits that fill no byte are dropped, as the apps drop them.
    /// </summary>
    /// <returns>Null when it is something else.</returns>
    public static byte[]? Decode(string text)
    {
        if (text.Length > LongestText) return null;
        var end = text.AsSpan().TrimEnd(" =").Length;
        var bytes = new byte[end * 5 / 8];
        var (count, bits, buffer) = (0, 0, 0);
        foreach (var c in text.AsSpan(0, end))
        {
            if (c is ' ' or '-') continue;
            var value = ValueOf(c);
            if (value < 0) return null;
            buffer = ((buffer << 5) | value) & 0xFFF;
            bits += 5;
            if (bits < 8) continue;
            bits -= 8;
            bytes[count++] = (byte)(buffer >> bits);
        }

        return count == 0 ? null : bytes[..count];
    }

    private static int ValueOf(char c) => c switch
    {
        >= 'A' and <= 'Z' => c - 'A',
        >= 'a' and <= 'z' => c - 'a',
        >= '2' and <= '7' => c - '2' + 26,
        _ => -1,
    };
}
