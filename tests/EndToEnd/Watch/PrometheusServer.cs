using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Mfa.EndToEnd.Delivery;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Watch;

/// <summary>A Prometheus (Debian package prometheus) that scrapes a server every second and looks at our alert rules.</summary>
internal sealed class PrometheusServer : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly HttpClient _http = new();
    private readonly Peer _program;

    private PrometheusServer(Uri target, string rules)
    {
        var port = FreePort.Next();
        _http.BaseAddress = new Uri($"http://127.0.0.1:{port}/");
        File.WriteAllText(_folder["prometheus.yml"], $"""
            global: {"{"}scrape_interval: 1s, evaluation_interval: 1s{"}"}
            rule_files: ["{rules}"]
            scrape_configs:
              - job_name: mfa
                static_configs: [{"{"}targets: ["{target.Authority}"]{"}"}]

            """);
        _program = Peer.Start("prometheus", "prometheus", $"--config.file={_folder["prometheus.yml"]}", $"--storage.tsdb.path={_folder["data"]}",
            $"--web.listen-address=127.0.0.1:{port}", "--log.level=warn");
    }

    /// <summary>It runs, and has reached the server once.</summary>
    public static async Task<PrometheusServer> StartAsync(Uri target, string rules)
    {
        var prometheus = new PrometheusServer(target, rules);
        await Eventually.IsAsync("Prometheus reaches the server", async () =>
        {
            Assert.False(prometheus._program.HasEnded, string.Join('\n', prometheus._program.Lines));
            try
            {
                return await prometheus.ValueAsync("up{job=\"mfa\"}") == 1;
            }
            catch (HttpRequestException)
            {
                return false; // it is starting
            }
        });
        return prometheus;
    }

    /// <summary>Checks a file of rules as its own tool does.</summary>
    public static Task<Ended> CheckRulesAsync(string rules) => OutsideProgram.RunAsync(new ProcessStartInfo("promtool", ["check", "rules", rules]), [], "prometheus");

    /// <returns>The value of an expression that has one; null when it has none.</returns>
    public async Task<double?> ValueAsync(string expression)
    {
        var results = (await QueryAsync(expression)).GetProperty("result");
        return results.GetArrayLength() == 0 ? null : double.Parse(results[0].GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
    }

    public Task<JsonElement> QueryAsync(string expression) => AskAsync($"api/v1/query?query={Uri.EscapeDataString(expression)}");

    /// <summary>Our rules as it last looked at them.</summary>
    public async Task<JsonElement[]> RulesAsync() =>
        [.. (await AskAsync("api/v1/rules")).GetProperty("groups").EnumerateArray().SelectMany(group => group.GetProperty("rules").EnumerateArray())];

    public async ValueTask DisposeAsync()
    {
        await _program.DisposeAsync();
        _http.Dispose();
        _folder.Dispose();
    }

    private async Task<JsonElement> AskAsync(string path)
    {
        using var response = await _http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable) throw new HttpRequestException("It is starting.");
        var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
        Assert.True(answer.GetProperty("status").GetString() == "success", answer.ToString());
        return answer.GetProperty("data");
    }
}
