using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Mfa.Polyglot;

/// <summary>The clock and the mailbox of a server with `--test-clock`.</summary>
internal sealed class TestDoor : IDisposable
{
    private readonly HttpClient _http;

    public TestDoor(JsonNode world)
    {
        _http = new HttpClient { BaseAddress = new Uri((string)world["web"]!) };
        _http.DefaultRequestHeaders.Authorization = AuthenticationHeaderValue.Parse((string)world["callers"]!["all"]!);
    }

    public async Task<long> NowAsync() => long.Parse(await _http.GetStringAsync("/test/clock"), CultureInfo.InvariantCulture);

    public async Task AdvanceAsync(long seconds) =>
        (await _http.PostAsync($"/test/clock?advance={seconds}", content: null)).EnsureSuccessStatusCode().Dispose();

    public async Task<JsonArray> MessagesAsync(string to) =>
        JsonNode.Parse(await _http.GetStringAsync($"/test/messages?to={Uri.EscapeDataString(to)}"))!.AsArray();

    public void Dispose() => _http.Dispose();
}
