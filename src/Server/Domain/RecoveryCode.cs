using System.Security.Cryptography;

namespace Mfa.Server.Domain;

/// <summary>
/// A look-up secret (NIST SP 800-63B §3.1.2): 24 random Crockford Base32 symbols, 120 bits, and one check symbol that
/// catches typing errors before they count as guesses.
/// </summary>
/// <remarks>
/// The check symbol is a sum over GF(32), each symbol weighted by another power of a primitive element. A changed symbol
/// changes the sum, and so does any exchange of two symbols, because no two weights are equal. Crockford's own modulo-37
/// check needs five extra characters (`*~$=U`) that people cannot find on a phone, and misses one exchange.
/// </remarks>
internal sealed class RecoveryCode : SubmittedCode
{
    public const int PerAccount = 8;

    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int RandomSymbols = 24;
    private const int Symbols = RandomSymbols + 1;
    private const int GroupLength = 5;

    private readonly byte[] _values;

    private RecoveryCode(byte[] values) => _values = values;

    /// <summary>The 24 symbols without the check symbol, one value of 0 to 31 each.</summary>
    public override ReadOnlySpan<byte> Bytes => _values.AsSpan(0, RandomSymbols);

    public static RecoveryCode[] NewSet()
    {
        var set = new RecoveryCode[PerAccount];
        for (var i = 0; i < set.Length; i++) set[i] = New();
        return set;
    }

    /// <summary>Accepts any case, blanks and hyphens anywhere, O for 0, I and L for 1.</summary>
    /// <returns>Null when it is no recovery code, or one with a typing error.</returns>
    public static new RecoveryCode? Parse(string text)
    {
        if (text.Length > MaxLength) return null;
        var values = new byte[Symbols];
        var count = 0;
        foreach (var c in text)
        {
            if (c is ' ' or '-') continue;
            var value = ValueOf(c);
            if (value < 0 || count == Symbols) return null;
            values[count++] = (byte)value;
        }

        return count == Symbols && values[^1] == CheckOf(values.AsSpan(0, RandomSymbols)) ? new RecoveryCode(values) : null;
    }

    /// <summary>The code itself, in five groups of five. Only for the reply that creates it.</summary>
    public string Reveal() => string.Create(Symbols + Symbols / GroupLength - 1, _values, (text, values) =>
    {
        var at = 0;
        for (var i = 0; i < values.Length; i++)
        {
            if (i > 0 && i % GroupLength == 0) text[at++] = '-';
            text[at++] = Alphabet[values[i]];
        }
    });

    private static RecoveryCode New()
    {
        var values = new byte[Symbols];
        RandomNumberGenerator.Fill(values);
        for (var i = 0; i < RandomSymbols; i++) values[i] &= 31; // 256 is a multiple of 32: no bias
        values[^1] = CheckOf(values.AsSpan(0, RandomSymbols));
        return new RecoveryCode(values);
    }

    private static int ValueOf(char c) => char.ToUpperInvariant(c) switch
    {
        _ when !char.IsAscii(c) => -1,
        'O' => 0,
        'I' or 'L' => 1,
        var upper => Alphabet.IndexOf(upper),
    };

    /// <summary>Horner's rule: the i-th symbol from the end ends up weighted by x^i, the check symbol by x^0.</summary>
    private static byte CheckOf(ReadOnlySpan<byte> values)
    {
        var sum = 0;
        foreach (var value in values) sum = TimesX(sum ^ value);
        return (byte)sum;
    }

    /// <summary>Multiplies by x in GF(32) with the primitive polynomial x^5 + x^2 + 1, so that x has order 31.</summary>
    private static int TimesX(int element)
    {
        element <<= 1;
        return element > 31 ? element ^ 0b100101 : element;
    }
}
