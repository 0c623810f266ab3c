using Mfa.EndToEnd.Processes;
using Mfa.V1;
using Microsoft.Playwright;

namespace Mfa.EndToEnd.Page;

/// <summary>A person opens the link of the mail in a browser (DI2, DI3, DI4, DI6).</summary>
public sealed class ConfirmingTests(PageServer server, Browser browser) : IClassFixture<PageServer>, IClassFixture<Browser>
{
    private const string Done = "The second factor is switched off.";
    private const string Refused = "This link was used before, has expired or is not yours.";
    private const string Incomplete = "This link is not complete.";

    [Fact]
    public async Task The_right_name_and_password_switch_off_and_the_form_is_gone()
    {
        var person = await Person.WithALinkAsync(server);
        await using var visit = await browser.OpenAsync(person.Link);
        Assert.Equal(State.Enabled, await person.StateAsync());

        await visit.SubmitAsync(person.Name, Person.Password);
        await visit.ToldAsync(Done, form: false);

        Assert.Equal(State.Disabled, await person.StateAsync());
        await Assertions.Expect(visit.Message).ToBeFocusedAsync();
        Assert.Equal(server.Page.ToString(), visit.Page.Url); // the token left the address
        Assert.Empty(visit.Console);
    }

    [Fact]
    public async Task After_a_wrong_password_the_form_is_ready_for_the_right_one()
    {
        var person = await Person.WithALinkAsync(server);
        await using var visit = await browser.OpenAsync(person.Link);

        await visit.SubmitAsync(person.Name, Person.Password + "?");
        await visit.ToldAsync("Name or password not accepted.", form: true);

        Assert.Equal(State.Enabled, await person.StateAsync());
        await Assertions.Expect(visit.Password).ToBeFocusedAsync();
        await Assertions.Expect(visit.Password).ToHaveValueAsync("");
        await Assertions.Expect(visit.Name).ToHaveValueAsync(person.Name);

        await visit.Page.Keyboard.TypeAsync(Person.Password);
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.ToldAsync(Done, form: false);
        Assert.Equal(State.Disabled, await person.StateAsync());
    }

    [Fact]
    public async Task The_keyboard_alone_is_enough()
    {
        var person = await Person.WithALinkAsync(server);
        await using var visit = await browser.OpenAsync(person.Link);
        var keyboard = visit.Page.Keyboard;

        await keyboard.PressAsync("Tab");
        await keyboard.TypeAsync(person.Name);
        await keyboard.PressAsync("Enter"); // too early
        await visit.ToldAsync("Enter your name and your password.", form: true);
        await Assertions.Expect(visit.Password).ToBeFocusedAsync();
        await Assertions.Expect(visit.Password).ToHaveAttributeAsync("aria-invalid", "true");
        Assert.DoesNotContain(visit.Requests, request => request.Method == "POST");

        await keyboard.TypeAsync(Person.Password);
        await keyboard.PressAsync("Tab");
        await Assertions.Expect(visit.Button).ToBeFocusedAsync();
        await keyboard.PressAsync("Enter");
        await visit.ToldAsync(Done, form: false);
        Assert.Equal(State.Disabled, await person.StateAsync());
    }

    [Fact]
    public async Task A_used_link_is_refused_and_the_tab_that_used_it_still_says_so_when_reloaded()
    {
        var person = await Person.WithALinkAsync(server);
        await using var visit = await browser.OpenAsync(person.Link);
        await visit.SubmitAsync(person.Name, Person.Password);
        await visit.ToldAsync(Done, form: false);

        await visit.Page.ReloadAsync();
        await visit.ToldAsync("The second factor was switched off with this link.", form: false);
        await using var again = await browser.OpenAsync(person.Link);
        await again.SubmitAsync(person.Name, Person.Password);

        await again.ToldAsync(Refused, form: true);
    }

    [Fact]
    public async Task An_expired_link_is_refused()
    {
        var person = await Person.WithALinkAsync(server);
        await using var visit = await browser.OpenAsync(person.Link);
        await ExpireAsync(person.Name); // the lifetime is fixed, and longer than a test should take

        await visit.SubmitAsync(person.Name, Person.Password);

        await visit.ToldAsync(Refused, form: true);
        Assert.Equal(State.Enabled, await person.StateAsync());
    }

    [Fact]
    public async Task An_older_link_is_refused_and_the_newer_one_works_in_the_same_tab()
    {
        var person = await Person.WithALinkAsync(server);
        await using var visit = await browser.OpenAsync(person.Link);
        await person.AskAsync();

        await visit.SubmitAsync(person.Name, Person.Password);
        await visit.ToldAsync(Refused, form: true);
        Assert.Equal(State.Enabled, await person.StateAsync());

        await visit.GoAsync(person.Link); // differs after the # alone: a browser does not load the page for that
        await Assertions.Expect(visit.Message).ToBeEmptyAsync();
        await visit.SubmitAsync(person.Name, Person.Password);
        await visit.ToldAsync(Done, form: false);
        Assert.Equal(State.Disabled, await person.StateAsync());
    }

    [Fact]
    public async Task Another_persons_link_is_refused_and_stays_good_for_its_owner()
    {
        var owner = await Person.WithALinkAsync(server);
        var other = await Person.WithALinkAsync(server);
        await using var visit = await browser.OpenAsync(owner.Link);

        await visit.SubmitAsync(other.Name, Person.Password);
        await visit.ToldAsync(Refused, form: true);
        Assert.Equal((State.Enabled, State.Enabled), (await owner.StateAsync(), await other.StateAsync()));

        await visit.SubmitAsync(owner.Name, Person.Password);
        await visit.ToldAsync(Done, form: false);
        Assert.Equal((State.Disabled, State.Enabled), (await owner.StateAsync(), await other.StateAsync()));
    }

    [Fact]
    public async Task A_link_without_a_whole_token_shows_no_form()
    {
        var whole = new string('A', 43);
        await using var visit = await browser.NewVisitAsync();

        foreach (var rest in new[] { "", "#", $"#{whole[1..]}", $"#{whole}A", $"#{whole}=", $"#{whole[1..]}%41", $"#{whole[1..]}+", $"?{whole}" })
        {
            await visit.Page.GotoAsync($"{server.Page}{rest}"); // as written: an Uri would decode %41
            await visit.ToldAsync(Incomplete, form: false);
        }

        Assert.Empty(visit.Console);
    }

    [Fact]
    public async Task Without_an_answer_the_form_stays_and_says_so()
    {
        var person = await Person.WithALinkAsync(server);
        await using var visit = await browser.OpenAsync(person.Link);
        await visit.Page.RouteAsync("**/confirm", route => route.AbortAsync(), new() { Times = 1 });

        await visit.SubmitAsync(person.Name, Person.Password);
        await visit.ToldAsync("The server cannot be reached.", form: true);

        await visit.SubmitAsync(person.Name, Person.Password);
        await visit.ToldAsync(Done, form: false);
    }

    [Theory]
    [InlineData("fr-CA", "fr", "Désactiver le second facteur", "Désactiver")]
    [InlineData("en-GB", "en", "Switch off the second factor", "Switch off")]
    [InlineData("de-DE", "en", "Switch off the second factor", "Switch off")]
    public async Task The_page_speaks_the_language_that_the_browser_prefers(string locale, string language, string title, string button)
    {
        await using var visit = await browser.OpenAsync(
            new Uri($"{server.Page}#{new string('A', 43)}"), new BrowserNewContextOptions { Locale = locale });

        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(title);
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Button)).ToHaveTextAsync(button);
        await Assertions.Expect(visit.Page).ToHaveTitleAsync(title);
        await Assertions.Expect(visit.Page.Locator("html")).ToHaveAttributeAsync("lang", language);
    }

    [Fact]
    public async Task Both_languages_have_a_sentence_for_everything()
    {
        await using var visit = await browser.OpenAsync(server.Page);

        Assert.Equal("", await visit.Page.EvaluateAsync<string>("""
            () => [...Object.keys({ ...english, ...french })].filter(key => !english[key] || !french[key]).join()
            """));
    }

    private async Task ExpireAsync(string account) =>
        Assert.Equal(1L, await FolderStores.AskAsync(server.Process, "UPDATE accounts SET d_expire = 1 WHERE account = @account RETURNING d_expire", account));
}
