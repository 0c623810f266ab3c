using System.Text;
using Mfa.Server.Transfer;

namespace Mfa.Server.Tests.Transfer;

/// <summary>RFC 4648 §10, and the spellings that people and programs use.</summary>
public sealed class Base32Tests
{
    [Theory]
    [InlineData("MY======", "f")]
    [InlineData("MZXQ====", "fo")]
    [InlineData("MZXW6===", "foo")]
    [InlineData("MZXW6YQ=", "foob")]
    [InlineData("MZXW6YTB", "fooba")]
    [InlineData("MZXW6YTBOI======", "foobar")]
    [InlineData("mzxw6ytboi", "foobar")]
    [InlineData("MZXW 6YTB-OI", "foobar")]
    [InlineData("MZXW6YTBO", "fooba")] // a length that no encoder makes
    public void Reads(string text, string bytes) => Assert.Equal(bytes, Encoding.ASCII.GetString(Base32.Decode(text)!));

    [Theory]
    [InlineData("")]
    [InlineData("=")]
    [InlineData("M")]
    [InlineData("MZXW1")]
    [InlineData("MZ=XW6YTB")]
    [InlineData("MZXWé")]
    public void Does_not_read(string text) => Assert.Null(Base32.Decode(text));

    [Fact]
    public void Reads_no_text_of_any_length() => Assert.Null(Base32.Decode(new string('A', 1025)));
}
