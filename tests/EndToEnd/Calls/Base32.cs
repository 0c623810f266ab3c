namespace Mfa.EndToEnd.Calls;

/// <summary>RFC 4648 §6 without padding: what the server calls a secret, back to its bytes.</summary>
internal static class Base32
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static byte[] Decode(string text)
    {
        var bytes = new List<byte>();
        var (buffer, bits) = (0, 0);
        foreach (var symbol in text)
        {
            var value = Alphabet.IndexOf(symbol);
            Assert.True(value >= 0, "not Base32");
            (buffer, bits) = (((buffer << 5) | value) & 0xFFF, bits + 5);
            if (bits < 8) continue;
            bits -= 8;
            bytes.Add((byte)(buffer >> bits));
        }

        return [.. bytes];
    }
}
