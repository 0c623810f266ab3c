using System.Net;
using System.Text.Json;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Delivery;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Watch;

/// <summary>
/// Metrics, traces and logs arrive at a collector. No collector can be installed here: ours takes what is posted and knows the names
/// in it, and so proves that the server sends, and where to, but not that the format is right, which is the library's part.
/// </summary>
public sealed class CollectorTests
{
    [Fact]
    public async Task Metrics_traces_and_logs_are_sent_without_a_secret()
    {
        await using var collector = Peer.StartPython("otlp_collector.py");
        var port = (await collector.EventsAsync("ready", 1))[0].GetProperty("port").GetInt32();
        await using var server = await ServerProcess.StartAsync(
            $"telemetry:otlp=http://127.0.0.1:{port}", "telemetry:otlpProtocol=http", "telemetry:tracePercent=100", "log:level=Trace");
        await Owner.AssertServedAsync(server.Dev);
        Assert.Equal(0, await server.StopAsync()); // sends what it has

        var traces = await BodyOfAsync("/v1/traces");
        Assert.Contains("/mfa.v1.MfaService/Verify", traces, StringComparison.Ordinal);
        Assert.Contains("mfa.verdicts", await BodyOfAsync("/v1/metrics"), StringComparison.Ordinal);
        Assert.Contains("Verdict on", await BodyOfAsync("/v1/logs"), StringComparison.Ordinal);
        server.Secrets.AssertNoneIn(collector.Lines);
        Assert.DoesNotContain("authorization", traces, StringComparison.OrdinalIgnoreCase);

        async Task<string> BodyOfAsync(string path)
        {
            await collector.EventsAsync(1, e => IsOf(e, path));
            return string.Concat(collector.Events("post").Where(e => IsOf(e, path)).Select(e => e.GetProperty("body").GetString()));
        }

        static bool IsOf(JsonElement e, string path) => e.TryGetProperty("path", out var of) && of.GetString() == path;
    }

    [Fact]
    public async Task Without_telemetry_there_is_no_metrics_page()
    {
        await using var server = await ServerProcess.StartAsync("telemetry:prometheus=false");

        Assert.Equal(HttpStatusCode.NotFound, (await RawHttp.GetAsync(server.Web, "/metrics")).Status);
        Assert.Equal(HttpStatusCode.OK, (await RawHttp.GetAsync(server.Web, "/readyz")).Status);
        await Owner.AssertServedAsync(server.Dev);
    }
}
