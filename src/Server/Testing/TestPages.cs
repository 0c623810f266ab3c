using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Callers;
using Mfa.Server.Store;
using MimeKit;

namespace Mfa.Server.Testing;

/// <summary>
/// What tests in any language need of a development server beside its contract: to move its clock, and to read what it would
/// have sent. On the web address, for keys with the scope admin. Mapped with `--test-clock` alone.
/// </summary>
internal sealed class TestPages(StillClock clock, IStore store, ApiKeys keys, string mailbox)
{
    public const string Root = "/test";

    private const int LongestStep = 400 * 86_400;

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(5);

    public void Map(IApplicationBuilder web) => web.Run(AnswerAsync);

    private async Task AnswerAsync(HttpContext http)
    {
        if (!MayTest(http.Request.Headers.Authorization))
        {
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        switch (http.Request.Method, http.Request.Path.Value)
        {
            case ("GET", "/test/clock"):
                await TellTimeAsync(http, clock.GetUtcNow());
                break;
            case ("POST", "/test/clock") when Seconds(http.Request.Query["advance"]) is { } seconds:
                await TellTimeAsync(http, clock.Advance(TimeSpan.FromSeconds(seconds)));
                break;
            case ("GET", "/test/messages"):
                await WhenAllAreSentAsync(http.RequestAborted);
                http.Response.ContentType = "application/json";
                var messages = Messages().Where(m => m.To == http.Request.Query["to"].ToString()).ToArray();
                await JsonSerializer.SerializeAsync(http.Response.Body, messages, TestJson.Default.TestMessageArray, http.RequestAborted);
                break;
            default:
                http.Response.StatusCode = StatusCodes.Status400BadRequest;
                await http.Response.WriteAsync("GET /test/clock, POST /test/clock?advance=SECONDS or GET /test/messages?to=ADDRESS.\n", http.RequestAborted);
                break;
        }
    }

    private bool MayTest(string? authorization) =>
        authorization?.StartsWith("Bearer ", StringComparison.Ordinal) == true
        && keys.Authenticate(authorization["Bearer ".Length..])?.Scopes.HasFlag(Scopes.Admin) == true;

    private static int? Seconds(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= LongestStep ? seconds : null;

    private static Task TellTimeAsync(HttpContext http, DateTimeOffset now) =>
        http.Response.WriteAsync(now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), http.RequestAborted);

    /// <summary>A call is answered once its message is saved; the courier brings it a moment later.</summary>
    private async Task WhenAllAreSentAsync(CancellationToken ct)
    {
        while (store.Read(OutboxRows.CountQueued) > 0) await Task.Delay(LookAgain, ct);
    }

    /// <summary>The oldest first.</summary>
    private IEnumerable<TestMessage> Messages() => Directory.Exists(mailbox)
        ? Directory.EnumerateFiles(mailbox).Where(file => !file.EndsWith(".tmp", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(Read)
        : [];

    private static TestMessage Read(string file)
    {
        if (file.EndsWith(".sms.json", StringComparison.Ordinal))
        {
            using var sms = JsonDocument.Parse(File.ReadAllBytes(file));
            return new TestMessage(sms.RootElement.GetProperty("to").GetString()!, "", sms.RootElement.GetProperty("text").GetString()!);
        }

        using var mail = MimeMessage.Load(file);
        return new TestMessage(mail.To.Mailboxes.Single().Address, mail.Subject ?? "", mail.TextBody ?? "");
    }
}

internal sealed record TestMessage(string To, string Subject, string Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TestMessage[]))]
internal sealed partial class TestJson : JsonSerializerContext;
