using Mfa.Server.Delivery;

namespace Mfa.Server.Tests.Delivery;

public sealed class MessageTemplatesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_shipped_text_is_there_in_every_language_and_uses_known_names_alone()
    {
        var templates = new MessageTemplates(folder: null);

        Assert.Equal(["en", "fr"], templates.Languages);
        foreach (var language in templates.Languages)
        {
            foreach (var name in MessageTemplates.Names)
            {
                var text = templates.Fill(name, language, MessageValues.Sample);
                Assert.DoesNotContain("{", text.Subject + text.Text);
                Assert.NotEmpty(text.Text);
            }
        }
    }

    [Fact]
    public void A_value_brings_no_names_lines_or_markup_of_its_own()
    {
        var values = new Dictionary<string, string>(MessageValues.Sample)
        {
            ["service"] = "Shop\r\nBcc: evil@example.com\u2028{code}<a href=x>",
        };

        var text = new MessageTemplates(folder: null).Fill("code", "en", values);

        Assert.Equal("Your code for ShopBcc: evil@example.com{code}<a href=x>", text.Subject);
        Assert.Contains("{code}<a href=x>", text.Text);
        Assert.DoesNotContain("<a", text.Html);
    }

    [Theory]
    [InlineData("fr-CA", "fr")]
    [InlineData("FR", "fr")]
    [InlineData("en-GB-oed", "en")]
    [InlineData("de", null)]
    public void A_language_is_found_by_its_primary_subtag(string tag, string? language) =>
        Assert.Equal(language, new MessageTemplates(folder: null).LanguageFor(tag));

    [Fact]
    public void An_operators_text_takes_the_place_of_the_shipped_one()
    {
        File.WriteAllText(_folder.File("code.en.txt"), "Code {code}\r\n\r\nFrom {service}.\r\n");

        var text = new MessageTemplates(_folder.Path).Fill("code", "en", MessageValues.Sample);

        Assert.Equal(("Code 123456", "From Example.\n"), (text.Subject, text.Text));
    }

    [Theory]
    [InlineData("code.en.txt", "Subject\n\nHello {nobody}")]
    [InlineData("code.en.txt", "no subject line")]
    [InlineData("code.en.txt", "Subject\nbut no empty line")]
    [InlineData("letter.en.txt", "Subject\n\nText")]
    [InlineData("code.de.txt", "Betreff\n\nText")]
    public void A_text_that_would_fail_when_it_must_go_out_stops_the_start(string file, string content)
    {
        File.WriteAllText(_folder.File(file), content);

        Assert.Throws<StartRefusedException>(() => new MessageTemplates(_folder.Path));
    }

    [Fact]
    public void A_folder_that_is_not_there_stops_the_start() =>
        Assert.Throws<StartRefusedException>(() => new MessageTemplates(_folder.File("nowhere")));
}
