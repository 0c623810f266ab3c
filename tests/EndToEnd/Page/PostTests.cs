using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Mfa.V1;

namespace Mfa.EndToEnd.Page;

/// <summary>The web address without a browser: what scanners of links do, and forms that no page of ours sends (DI1, DI7).</summary>
public sealed class PostTests(PageServer server) : IClassFixture<PageServer>
{
    private static readonly HttpClient Http = new();

    [Fact]
    public async Task Twenty_looks_of_each_kind_leave_the_account_and_the_token_as_they_were()
    {
        var person = await Person.WithALinkAsync(server);

        foreach (var method in new[] { HttpMethod.Head, HttpMethod.Get, HttpMethod.Options })
        {
            for (var i = 0; i < 20; i++)
            {
                // A careless scanner sends the token: as the path shows it, and as a question.
                foreach (var link in new[] { person.Link, new Uri($"{server.Page}?{person.Token}"), new Uri($"{server.Page}/confirm?{person.Token}") })
                    using (await Http.SendAsync(new HttpRequestMessage(method, link))) { }
            }
        }

        Assert.Equal(State.Enabled, await person.StateAsync());
        Assert.Equal((HttpStatusCode.OK, "done"), await PostAsync(Form(person)));
        Assert.Equal(State.Disabled, await person.StateAsync());
    }

    [Theory]
    [InlineData("GET", "/disable", 200)]
    [InlineData("HEAD", "/disable", 200)]
    [InlineData("GET", "/disable.js", 200)]
    [InlineData("GET", "/disable.css", 200)]
    [InlineData("GET", "/disable.svg", 200)]
    [InlineData("POST", "/disable", 405)]
    [InlineData("OPTIONS", "/disable", 405)]
    [InlineData("GET", "/disable/confirm", 405)]
    [InlineData("OPTIONS", "/disable/confirm", 405)]
    [InlineData("POST", "/disable/confirm", 415)]
    [InlineData("GET", "/disable/", 404)]
    [InlineData("GET", "/favicon.ico", 404)]
    public async Task Every_answer_is_guarded_and_opens_nothing_to_other_sites(string method, string path, int status)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), new Uri(server.Process.Web, path));
        request.Headers.Add("Origin", "https://elsewhere.example");
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "content-type");

        using var answer = await Http.SendAsync(request);

        Assert.Equal(status, (int)answer.StatusCode);
        string Header(string name) => answer.Headers.GetValues(name).Single();
        var policy = Header("Content-Security-Policy").Split("; ");
        string[] guards = ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"];
        Assert.Subset(policy.ToHashSet(), guards.ToHashSet());
        Assert.DoesNotContain(policy, part => part.Contains("unsafe", StringComparison.Ordinal) || part.Contains('*') || part.Contains("http", StringComparison.Ordinal));
        Assert.Equal("no-store", Header("Cache-Control"));
        Assert.Equal("nosniff", Header("X-Content-Type-Options"));
        Assert.Equal("no-referrer", Header("Referrer-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Opener-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Resource-Policy"));
        Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(answer.Headers, header => header.Key is "Set-Cookie" or "Server");
    }

    [Fact]
    public async Task A_form_that_is_not_as_it_must_be_is_refused_though_name_and_password_are_right()
    {
        var person = await Person.WithALinkAsync(server);
        var right = Form(person);
        (HttpContent Content, HttpStatusCode Status)[] refused =
        [
            (Typed(right, "text/plain"), HttpStatusCode.UnsupportedMediaType),
            (Typed(right, "application/x-www-form-urlencoded"), HttpStatusCode.UnsupportedMediaType),
            (Typed(right, "multipart/form-data"), HttpStatusCode.UnsupportedMediaType),
            (new ByteArrayContent(Encoding.UTF8.GetBytes(right)), HttpStatusCode.UnsupportedMediaType),
            (new Endless(right), HttpStatusCode.LengthRequired),
            (Json(right + new string(' ', 4097 - Encoding.UTF8.GetByteCount(right))), HttpStatusCode.RequestEntityTooLarge),
            (Json(""), HttpStatusCode.BadRequest),
            (Json("null"), HttpStatusCode.BadRequest),
            (Json("[]"), HttpStatusCode.BadRequest),
            (Json("{}"), HttpStatusCode.BadRequest),
            (Json(right[..^1]), HttpStatusCode.BadRequest),
            (Json($"{right}{right}"), HttpStatusCode.BadRequest),
            (Json(Form(null, Person.Password, person.Token)), HttpStatusCode.BadRequest),
            (Json(Form(person.Name, null, person.Token)), HttpStatusCode.BadRequest),
            (Json(Form(person.Name, Person.Password, null)), HttpStatusCode.BadRequest),
            (Json(right.Replace("\"token\":", "\"totp\":", StringComparison.Ordinal)), HttpStatusCode.BadRequest),
            (Json(right.Replace(person.Name, "\\ud800", StringComparison.Ordinal)), HttpStatusCode.BadRequest),
            (Json(right.Replace($"\"{person.Token}\"", "12", StringComparison.Ordinal)), HttpStatusCode.BadRequest),
            (Json(Encoding.Unicode.GetBytes(right)), HttpStatusCode.BadRequest),
            (Json(Encoding.Latin1.GetBytes(right.Replace("\\u00FC", "ü", StringComparison.Ordinal))), HttpStatusCode.BadRequest),
        ];

        for (var i = 0; i < refused.Length; i++)
        {
            using var content = refused[i].Content;
            Assert.Equal((i, refused[i].Status, "formRefused"), await NumberedAsync(i, content));
        }

        Assert.Equal(State.Enabled, await person.StateAsync());
        Assert.Equal((HttpStatusCode.OK, "done"), await PostAsync(right));
    }

    [Fact]
    public async Task A_token_has_one_spelling_and_a_code_is_none()
    {
        var person = await Person.WithALinkAsync(server);
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var token = person.Token;
        var stray = $"{token[..^1]}{Alphabet[Alphabet.IndexOf(token[^1], StringComparison.Ordinal) + 1]}"; // decodes to the same bytes

        foreach (var other in new[] { "", "123456", token[..^1], token + "=", token + "A", $" {token}", $"{token}\n", $"{token[..9]} {token[9..]}", stray })
            Assert.Equal((HttpStatusCode.BadRequest, "linkBroken"), await PostAsync(Form(person.Name, Person.Password, other)));

        Assert.Equal(State.Enabled, await person.StateAsync());
    }

    [Fact]
    public async Task Wrong_name_wrong_password_and_empty_ones_get_the_same_answer()
    {
        var person = await Person.WithALinkAsync(server);
        string[] forms =
        [
            Form(person.Name, "wrong", person.Token), Form(person.Name, "", person.Token), Form("", Person.Password, person.Token), Form("nobody", Person.Password, person.Token),
            Form(person.Name.ToUpperInvariant(), Person.Password, person.Token), Form(person.Name, Person.Password + " ", person.Token),
        ];

        foreach (var form in forms) Assert.Equal((HttpStatusCode.Forbidden, "passwordRefused"), await PostAsync(form));

        Assert.Equal(State.Enabled, await person.StateAsync());
        Assert.Equal((HttpStatusCode.OK, "done"), await PostAsync(Form(person)));
        Assert.Equal((HttpStatusCode.Forbidden, "linkRefused"), await PostAsync(Form(person)));
    }

    [Fact]
    public async Task Of_eight_at_once_one_wins()
    {
        var person = await Person.WithALinkAsync(server);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PostAsync(Form(person))));

        Assert.Single(outcomes, (HttpStatusCode.OK, "done"));
        Assert.All(outcomes, outcome => Assert.Contains(outcome.Outcome, new[] { "done", "linkRefused", "busy" }));
        Assert.Equal(State.Disabled, await person.StateAsync());
    }

    /// <summary>A password costs a good part of a second of a core: bad forms must not buy that.</summary>
    [Fact]
    public async Task A_hundred_bad_forms_take_less_time_than_five_passwords()
    {
        var person = await Person.WithAFactorAsync(server);
        var token = new string('A', 43);
        var wrong = JsonSerializer.Serialize(new { username = person.Name, password = "wrong", token });
        var time = TimeProvider.System;
        await PostAsync("{}");

        var start = time.GetTimestamp();
        for (var i = 0; i < 5; i++) await PostAsync(wrong);
        var passwords = time.GetElapsedTime(start);
        start = time.GetTimestamp();
        for (var i = 0; i < 25; i++)
        {
            await PostAsync(Typed(wrong, "text/plain"));
            await PostAsync(Json(wrong + new string(' ', 4096)));
            await PostAsync(wrong.Replace("token", "other", StringComparison.Ordinal));
            await PostAsync(wrong.Replace(token, token + "A", StringComparison.Ordinal));
        }

        Assert.InRange(time.GetElapsedTime(start), TimeSpan.Zero, passwords);
    }

    private static string Form(Person person) => Form(person.Name, Person.Password, person.Token);

    private static string Form(string? username, string? password, string? token) => JsonSerializer.Serialize(new { username, password, token });

    private Task<(HttpStatusCode Status, string Outcome)> PostAsync(string form) => PostAsync(Json(form));

    private async Task<(HttpStatusCode Status, string Outcome)> PostAsync(HttpContent content)
    {
        using var answer = await Http.PostAsync(new Uri($"{server.Page}/confirm"), content);
        using var reply = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var outcome = reply.RootElement.GetProperty("outcome").GetString()!;
        Assert.Equal(outcome == "done", reply.RootElement.GetProperty("done").GetBoolean());
        return (answer.StatusCode, outcome);
    }

    private async Task<(int, HttpStatusCode, string)> NumberedAsync(int number, HttpContent content)
    {
        var (status, outcome) = await PostAsync(content);
        return (number, status, outcome);
    }

    private static ByteArrayContent Json(string form) => Json(Encoding.UTF8.GetBytes(form));

    private static ByteArrayContent Json(byte[] form) => new(form) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    private static ByteArrayContent Typed(string form, string type) =>
        new(Encoding.UTF8.GetBytes(form)) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };

    /// <summary>Does not tell its length.</summary>
    private sealed class Endless(string form) : StringContent(form, new MediaTypeHeaderValue("application/json"))
    {
        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
