using Microsoft.Playwright;

namespace Mfa.EndToEnd.Page;

/// <summary>A real browser, without a window, for all tests of a class; each visit has a profile of its own.</summary>
public sealed class Browser : IAsyncLifetime
{
    private const string Program = "/usr/bin/chromium";

    /// <summary>Tests must not depend on speed; only a page that never gets there takes so long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    public async ValueTask InitializeAsync()
    {
        // Debian's, not one that Playwright would download.
        if (!File.Exists(Program)) throw new InvalidOperationException("These tests need chromium. On Debian: apt-get install chromium");
        Assertions.SetDefaultExpectTimeout((float)Patience.TotalMilliseconds);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Program,
            Args =
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
            ],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    internal async Task<Visit> OpenAsync(Uri address, BrowserNewContextOptions? options = null)
    {
        var visit = await NewVisitAsync(options);
        await visit.GoAsync(address);
        return visit;
    }

    /// <summary>A tab that has not gone anywhere yet.</summary>
    internal async Task<Visit> NewVisitAsync(BrowserNewContextOptions? options = null)
    {
        options ??= new BrowserNewContextOptions();
        options.Locale ??= "en-CA";
        return await Visit.NewAsync(await _browser.NewContextAsync(options));
    }
}
