using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Mfa.EndToEnd.Page;

/// <summary>Somebody looks at the page. Keeps every request of the browser and every line of its console.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<IRequest> _requests = [];
    private readonly ConcurrentQueue<string> _console = [];

    private Visit(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        context.Request += (_, request) => _requests.Enqueue(request);
        context.Console += (_, line) => _console.Enqueue($"{line.Type}: {line.Text}");
        page.PageError += (_, error) => _console.Enqueue(error);
    }

    public IPage Page { get; }

    public IReadOnlyCollection<IRequest> Requests => _requests;

    /// <summary>Violations of the content policy stand here, too.</summary>
    public IReadOnlyCollection<string> Console => _console;

    public ILocator Name => Page.GetByRole(AriaRole.Textbox, new() { Name = "Name", Exact = true });

    public ILocator Password => Page.GetByLabel("Password", new() { Exact = true });

    public ILocator Button => Page.GetByRole(AriaRole.Button, new() { Name = "Switch off", Exact = true });

    /// <summary>What a screen reader tells by itself when it changes.</summary>
    public ILocator Message => Page.GetByRole(AriaRole.Status);

    public static async Task<Visit> NewAsync(IBrowserContext context) => new(context, await context.NewPageAsync());

    public Task GoAsync(Uri address) => Page.GotoAsync(address.AbsoluteUri);

    public async Task SubmitAsync(string name, string password)
    {
        await Name.FillAsync(name);
        await Password.FillAsync(password);
        await Button.ClickAsync();
    }

    /// <summary>Waits for these words, and asserts that the form is there or gone.</summary>
    public async Task ToldAsync(string words, bool form)
    {
        await Assertions.Expect(Message).ToContainTextAsync(words);
        await Assertions.Expect(Button).ToHaveCountAsync(form ? 1 : 0); // found by role: what is hidden does not count
        if (form) await Assertions.Expect(Button).ToBeEnabledAsync();
    }

    public ValueTask DisposeAsync() => _context.DisposeAsync();
}
