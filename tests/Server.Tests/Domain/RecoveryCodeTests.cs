using Mfa.Server.Domain;

namespace Mfa.Server.Tests.Domain;

public sealed class RecoveryCodeTests
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    [Fact]
    public void Codes_are_printed_in_five_groups_of_five()
    {
        var text = RecoveryCode.NewSet()[0].Reveal();

        Assert.Matches("^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){4}$", text);
    }

    [Fact]
    public void A_code_may_be_typed_in_any_case_with_any_separators_and_look_alikes()
    {
        var code = CodeHolding('0', '1');
        var text = code.Reveal();
        string[] spellings =
        [
            text, text.ToLowerInvariant(), text.Replace("-", ""), text.Replace('-', ' '), $" {text} ", text.Replace("-", "--"),
            text.Replace('0', 'O'), text.Replace('0', 'o'), text.Replace('1', 'I'), text.Replace('1', 'l'), text.Replace('1', 'L'),
        ];

        foreach (var spelling in spellings)
            Assert.True(code.Bytes.SequenceEqual(RecoveryCode.Parse(spelling)!.Bytes), spelling);
    }

    [Fact]
    public void The_check_symbol_catches_every_wrong_symbol()
    {
        var text = RecoveryCode.NewSet()[0].Reveal().Replace("-", "");

        for (var i = 0; i < text.Length; i++)
        {
            foreach (var other in Alphabet.Where(c => c != text[i]))
                Assert.Null(RecoveryCode.Parse($"{text[..i]}{other}{text[(i + 1)..]}"));
        }
    }

    [Fact]
    public void The_check_symbol_catches_every_exchange_of_two_symbols()
    {
        foreach (var code in RecoveryCode.NewSet())
        {
            var text = code.Reveal().Replace("-", "");
            for (var i = 0; i < text.Length; i++)
            {
                for (var j = i + 1; j < text.Length; j++)
                {
                    if (text[i] == text[j]) continue;
                    var exchanged = text.ToCharArray();
                    (exchanged[i], exchanged[j]) = (exchanged[j], exchanged[i]);
                    Assert.Null(RecoveryCode.Parse(new string(exchanged)));
                }
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----")]
    [InlineData("UUUUU-UUUUU-UUUUU-UUUUU-UUUUU")]
    [InlineData("00000-00000-00000-00000-0000")]
    [InlineData("00000-00000-00000-00000-00000-0")]
    [InlineData("00000-00000-00000-00000-0000٠")]
    [InlineData("00000_00000_00000_00000_00000")]
    [InlineData("00000-00000-00000-00000-00000\n")]
    public void Other_texts_are_no_recovery_code(string text) => Assert.Null(RecoveryCode.Parse(text));

    [Fact]
    public void A_text_longer_than_any_spelling_is_not_read() =>
        Assert.Null(RecoveryCode.Parse(RecoveryCode.NewSet()[0].Reveal() + new string('-', SubmittedCode.MaxLength)));

    [Fact]
    public void Ten_thousand_sets_hold_no_code_twice_and_no_symbol_too_often()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var counts = new int[Alphabet.Length];
        for (var i = 0; i < 10_000; i++)
        {
            foreach (var code in RecoveryCode.NewSet())
            {
                Assert.True(seen.Add(Convert.ToHexString(code.Bytes)));
                foreach (var value in code.Bytes) counts[value]++;
            }
        }

        // 1,920,000 draws: each symbol is expected 60,000 times with a deviation of 241; eight deviations never happen.
        Assert.All(counts, count => Assert.InRange(count, 58_000, 62_000));
    }

    private static RecoveryCode CodeHolding(params char[] symbols)
    {
        while (true)
        {
            var found = RecoveryCode.NewSet().FirstOrDefault(code => symbols.All(code.Reveal().Contains));
            if (found is not null) return found;
        }
    }
}
