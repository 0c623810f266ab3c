using CsCheck;
using Mfa.Server.Domain;

namespace Mfa.Server.Tests.Domain;

public sealed class SubmittedCodeTests
{
    [Theory]
    [InlineData("123456")]
    [InlineData("000054")]
    [InlineData("000000")]
    [InlineData("1234567")]
    [InlineData("12345678")]
    public void Exact_digits_are_a_code(string text) => Assert.IsType<OtpCode>(SubmittedCode.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("54")]
    [InlineData("12345")]
    [InlineData("123456789")]
    [InlineData(" 123456")]
    [InlineData("123456 ")]
    [InlineData("123 456")]
    [InlineData("\t123456")]
    [InlineData("123456\n")]
    [InlineData("123456\r\n")]
    [InlineData("\u00A0123456")]
    [InlineData("123456\u200B")]
    [InlineData("\uFEFF123456")]
    [InlineData("+123456")]
    [InlineData("-123456")]
    [InlineData("-0")]
    [InlineData("1e5")]
    [InlineData("1e00005")]
    [InlineData("0x1E240")]
    [InlineData("123,456")]
    [InlineData("123.456")]
    [InlineData("123456\0")]
    [InlineData("\0123456")]
    [InlineData("١٢٣٤٥٦")]
    [InlineData("१२३४५६")]
    [InlineData("１２３４５６")]
    [InlineData("12345６")]
    [InlineData("abcdef")]
    public void Anything_else_is_not(string text) => Assert.Null(SubmittedCode.Parse(text));

    [Fact]
    public void Text_of_any_kind_is_a_code_only_when_it_is_six_to_eight_ASCII_digits() =>
        Gen.String[Gen.Char["0123456789 +-.\0\n٠१６"], 0, 10].Sample(text =>
            (OtpCode.Parse(text) is not null) == (text.Length is >= 6 and <= 8 && text.All(c => c is >= '0' and <= '9')));

    [Fact]
    public void No_code_prints_itself()
    {
        var recovery = RecoveryCode.NewSet()[0];

        Assert.Equal("OtpCode", SubmittedCode.Parse("123456")!.ToString());
        Assert.Equal("RecoveryCode", recovery.ToString());
    }
}
