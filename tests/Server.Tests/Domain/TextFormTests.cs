using Mfa.Server.Domain;

namespace Mfa.Server.Tests.Domain;

public sealed class TextFormTests
{
    [Theory]
    [InlineData("jane@example.org", "j***@e***.org")]
    [InlineData("a+b.c@mail.example.co.uk", "a***@m***.uk")]
    public void Plain_addresses_are_taken_and_masked(string text, string masked) =>
        Assert.Equal(masked, EmailAddress.Parse(text)!.Masked());

    [Theory]
    [InlineData("")]
    [InlineData("jane")]
    [InlineData("@example.org")]
    [InlineData("jane@")]
    [InlineData("jane@localhost")]
    [InlineData("jane@example.org.")]
    [InlineData("jane@example..org")]
    [InlineData("jane@example.org, evil@example.com")]
    [InlineData("a@x.org, evil@y.org")]
    [InlineData("Jane <jane@example.org>")]
    [InlineData("\"jane doe\"@example.org")]
    [InlineData("jane doe@example.org")]
    [InlineData(" jane@example.org")]
    [InlineData("jane@example.org\r\nBcc: evil@example.com")]
    [InlineData("jane@example.org\0")]
    [InlineData("jane\u0085@example.org")]
    [InlineData("jane\u2028@example.org")]
    [InlineData("jäne@example.org")]
    [InlineData("jane@exämple.org")]
    [InlineData("jane@evil@example.org")]
    public void Addresses_that_another_program_may_read_otherwise_are_refused(string text) => Assert.Null(EmailAddress.Parse(text));

    [Fact]
    public void An_address_of_254_characters_is_taken_and_one_of_255_is_not()
    {
        var domain = string.Join('.', Enumerable.Repeat(new string('d', 60), 3)) + ".org";
        var local = new string('a', 254 - domain.Length - 1);

        Assert.NotNull(EmailAddress.Parse($"{local}@{domain}"));
        Assert.Null(EmailAddress.Parse($"{local}a@{domain}"));
    }

    [Theory]
    [InlineData("alice@example.org", true)]
    [InlineData("Jürgen Müller", true)]
    [InlineData("日本", true)]
    [InlineData("", false)]
    [InlineData("   ", false)]
    [InlineData("a:b", false)]
    [InlineData("a\nb", false)]
    [InlineData("a\u202Eb", false)]
    [InlineData("a\u2028b", false)]
    [InlineData("a\0", false)]
    [InlineData("\uD800", false)]
    public void A_label_shows_what_it_says(string text, bool accepted) => Assert.Equal(accepted, KeyUri.IsLabel(text));

    [Fact]
    public void A_label_counts_characters_not_code_units()
    {
        Assert.True(KeyUri.IsLabel(string.Concat(Enumerable.Repeat("😀", 64))));
        Assert.False(KeyUri.IsLabel(string.Concat(Enumerable.Repeat("😀", 65))));
        Assert.True(KeyUri.IsLabel(new string('a', 64)));
        Assert.False(KeyUri.IsLabel(new string('a', 65)));
    }

    [Fact]
    public void The_key_URI_escapes_what_would_end_a_field() => Assert.Equal(
        "otpauth://totp/A%26B:x%20y%3F%23%2F?secret=ABC&issuer=A%26B&algorithm=SHA1&digits=6&period=30",
        KeyUri.For("A&B", "x y?#/", "ABC", new TotpParameters(OtpAlgorithm.Sha1, 6, 30)));

    [Theory]
    [InlineData("a", true)]
    [InlineData("A.b_c@d+e-9", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    [InlineData("ä", false)]
    [InlineData("a\0", false)]
    public void Account_names_have_one_alphabet(string text, bool accepted) => Assert.Equal(accepted, AccountKey.IsName(text));

    [Fact]
    public void Account_names_have_up_to_128_characters()
    {
        Assert.True(AccountKey.IsName(new string('a', 128)));
        Assert.False(AccountKey.IsName(new string('a', 129)));
    }
}
