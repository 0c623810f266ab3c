using System.Text.Json;
using Mfa.EndToEnd.Processes;
using Microsoft.Playwright;

namespace Mfa.EndToEnd.Page;

/// <summary>For everybody: in both colour schemes, on a phone and on a desk, empty, refused and done, in both languages.</summary>
public sealed class LookTests(PageServer server, Browser browser) : IClassFixture<PageServer>, IClassFixture<Browser>
{
    private static readonly string Axe = Path.Combine(ServerProgram.Repository, "node_modules/axe-core/axe.min.js");

    [Theory]
    [InlineData(ColorScheme.Light, 360, 740, "en-CA")]
    [InlineData(ColorScheme.Dark, 360, 740, "fr-CA")]
    [InlineData(ColorScheme.Light, 1280, 800, "fr-CA")]
    [InlineData(ColorScheme.Dark, 1280, 800, "en-CA")]
    [InlineData(ColorScheme.Light, 320, 256, "fr-CA")] // 400 % zoom on a desk (WCAG 2.2 §1.4.10)
    public async Task No_rule_of_accessibility_is_broken_and_nothing_scrolls_sideways(ColorScheme scheme, int width, int height, string locale)
    {
        Assert.True(File.Exists(Axe), "These tests need axe-core: npm ci --ignore-scripts (npm is Debian's package npm).");
        await using var visit = await browser.OpenAsync(new Uri($"{server.Page}#{new string('A', 43)}"), new BrowserNewContextOptions
        {
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = height },
            Locale = locale,
            BypassCSP = true, // here alone: the rules are a script from elsewhere
        });
        var (page, form) = (visit.Page, visit.Page.Locator("form"));

        await page.AddScriptTagAsync(new() { Path = Axe });

        await Assertions.Expect(form).ToBeVisibleAsync();
        await AssertGoodAsync(page);

        await page.Locator("[type=submit]").ClickAsync(); // empty
        await Assertions.Expect(visit.Message).ToHaveClassAsync("bad");
        await AssertGoodAsync(page);

        await AnswerAsync(page, "done");
        await Assertions.Expect(visit.Message).ToHaveClassAsync("good");
        await Assertions.Expect(form).ToBeHiddenAsync();
        await AssertGoodAsync(page);
    }

    /// <summary>Only how it looks matters here, so the answer need not be the server's.</summary>
    private static async Task AnswerAsync(IPage page, string outcome)
    {
        await page.RouteAsync("**/confirm", route => route.FulfillAsync(new() { Body = $$"""{"outcome":"{{outcome}}"}""" }));
        await page.Locator("#username").FillAsync("jane");
        await page.Locator("#password").FillAsync("secret");
        await page.Locator("[type=submit]").ClickAsync();
    }

    private static async Task AssertGoodAsync(IPage page)
    {
        var found = await page.EvaluateAsync<JsonElement>("""
            async () => {
              const { violations, incomplete, passes } = await axe.run();
              const lines = (rules) => rules.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html} ${node.failureSummary}`));
              return { broken: [...lines(violations), ...lines(incomplete)], passes: passes.map(rule => rule.id) };
            }
            """);
        Assert.Empty(found.GetProperty("broken").EnumerateArray().Select(line => line.GetString()));
        Assert.Contains("color-contrast", found.GetProperty("passes").EnumerateArray().Select(rule => rule.GetString())); // it did look
        Assert.Equal(0, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"));
    }
}
