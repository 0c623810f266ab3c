using System.Net;
using System.Text.Json;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Delivery;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Watch;

/// <summary>
/// Metrics, traces and logs arrive: by gRPC at a program of others that decodes and shows them (the Aspire dashboard), and by HTTP at
/// one of ours, which only looks for names in what is posted and for secrets in all of it.
/// </summary>
public sealed class CollectorTests
{
    [Fact]
    public async Task A_receiver_of_others_understands_what_is_sent()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerProcess.StartAsync(
            $"telemetry:otlp={receiver.Otlp}", "telemetry:tracePercent=100", "log:level=Debug");
        await Owner.AssertServedAsync(server.Dev);
        Assert.Equal(0, await server.StopAsync()); // sends what it has

        var resource = Assert.Single((await receiver.AskAsync("resources")).EnumerateArray());
        Assert.Equal("mfa-server", resource.GetProperty("name").GetString());
        Assert.All(["hasMetrics", "hasTraces", "hasLogs"], kind => Assert.True(resource.GetProperty(kind).GetBoolean(), $"{kind}: {resource}"));
        var (traces, logs) = ((await receiver.AskAsync("traces")).ToString(), (await receiver.AskAsync("logs")).ToString());
        Assert.Contains("/mfa.v1.MfaService/Verify", traces, StringComparison.Ordinal);
        Assert.Contains("Verdict on", logs, StringComparison.Ordinal);
        server.Secrets.AssertNoneIn([traces, logs]);
    }

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
