using System.Text.Json;
using Mfa.V1;
using Microsoft.Playwright;

namespace Mfa.EndToEnd.Page;

/// <summary>What the browser sends to whom, and what pages of other sites can do with the link (DI7).</summary>
public sealed class OtherSitesTests(PageServer server, Browser browser) : IClassFixture<PageServer>, IClassFixture<Browser>
{
    [Fact]
    public async Task Nothing_goes_to_another_host_and_nothing_carries_the_token_before_it_is_sent()
    {
        var person = await Person.WithALinkAsync(server);
        await using var visit = await browser.OpenAsync(person.Link);
        await Assertions.Expect(visit.Button).ToBeVisibleAsync();
        var before = visit.Requests.ToArray();

        await visit.SubmitAsync(person.Name, Person.Password);
        await visit.ToldAsync("The second factor is switched off.", form: false);
        var after = visit.Requests.Skip(before.Length).ToArray();

        Assert.All(visit.Requests, request => Assert.Equal(server.Process.Web.Authority, new Uri(request.Url).Authority));
        foreach (var request in before)
        {
            Assert.Equal("GET", request.Method);
            Assert.False((await SentAsync(request)).Contains(person.Token, StringComparison.Ordinal), $"{request.ResourceType} carries the token.");
        }

        var sent = Assert.Single(after, request => request.Method == "POST");
        Assert.Contains(person.Token, sent.PostData, StringComparison.Ordinal);
        Assert.DoesNotContain("referer", (await sent.AllHeadersAsync()).Keys);
        Assert.Empty(visit.Console); // no violation of the content policy either
    }

    [Fact]
    public async Task Prefetching_the_link_changes_nothing()
    {
        var person = await Person.WithALinkAsync(server);
        await using var reader = new OtherSite("<p>A reader of mail");
        await using var visit = await browser.OpenAsync(reader.Address);

        var over = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        visit.Page.RequestFailed += (_, request) => over.TrySetResult(request.Failure);
        visit.Page.RequestFinished += (_, _) => over.TrySetResult("answered");
        await visit.Page.EvaluateAsync("""
            link => document.head.append(Object.assign(document.createElement('link'), { rel: 'prefetch', href: link }))
            """, person.Link.ToString());

        // The server was asked, and its answer is for its own pages alone.
        Assert.Equal("net::ERR_BLOCKED_BY_RESPONSE", (await over.Task.WaitAsync(TimeSpan.FromSeconds(30)))?.Split('.')[0]);
        await using var owner = await browser.OpenAsync(person.Link);
        Assert.Equal(State.Enabled, await person.StateAsync());
        await owner.SubmitAsync(person.Name, Person.Password);
        await owner.ToldAsync("The second factor is switched off.", form: false);
    }

    [Fact]
    public async Task A_page_of_another_site_can_neither_post_nor_frame_even_if_it_knows_everything()
    {
        var person = await Person.WithALinkAsync(server);
        var confirm = $"{server.Page}/confirm";
        var body = JsonSerializer.Serialize(new { username = person.Name, password = Person.Password, token = person.Token });
        await using var site = new OtherSite("<p>Win a prize");
        await using var visit = await browser.OpenAsync(site.Address);

        var outcomes = await visit.Page.EvaluateAsync<string[]>("""
            async ([confirm, body]) => {
              const post = (options) => fetch(confirm, { method: 'POST', body, ...options }).then(answer => answer.type, () => 'refused');
              return [
                await post({ headers: { 'content-type': 'application/json' } }),
                await post({ headers: { 'content-type': 'application/problem+json' } }),
                await post({ headers: { 'content-type': 'text/plain' } }),
                await post({ mode: 'no-cors', headers: { 'content-type': 'application/json' } }),
                await post({ mode: 'no-cors', body: new URLSearchParams(JSON.parse(body)) }),
              ];
            }
            """, new[] { confirm, body });
        // Some are not sent, because the browser asks first; of the others it keeps the answer from the page.
        Assert.All(outcomes, outcome => Assert.Equal("refused", outcome));

        await visit.Page.RunAndWaitForConsoleMessageAsync(
            () => visit.Page.EvaluateAsync(
                "link => document.body.append(Object.assign(document.createElement('iframe'), { src: link }))", person.Link.ToString()),
            new() { Predicate = line => line.Text.Contains("frame-ancestors", StringComparison.Ordinal) });

        Assert.Equal(State.Enabled, await person.StateAsync());
    }

    [Fact]
    public async Task A_form_of_another_site_that_looks_like_json_is_refused()
    {
        var person = await Person.WithALinkAsync(server);
        var body = JsonSerializer.Serialize(new { username = person.Name, password = Person.Password, token = person.Token, x = "=" });
        var (name, value) = (body[..body.LastIndexOf('=')], body[(body.LastIndexOf('=') + 1)..]);
        await using var site = new OtherSite(
            $"<form method=post enctype=text/plain action='{server.Page}/confirm'><input name='{name}' value='{value}'><button>Win");
        await using var visit = await browser.OpenAsync(site.Address);

        var answer = await visit.Page.RunAndWaitForResponseAsync(() => visit.Page.GetByRole(AriaRole.Button).ClickAsync(), "**/confirm");

        Assert.Equal(415, answer.Status);
        Assert.Equal(State.Enabled, await person.StateAsync());
    }

    /// <summary>What goes over the wire. A fragment does not (RFC 9110 §7.1), though the browser's own record shows it.</summary>
    private static async Task<string> SentAsync(IRequest request)
    {
        var headers = await request.AllHeadersAsync();
        return $"{request.Url.Split('#')[0]} {string.Join(' ', headers.Values)} {request.PostData}";
    }
}
