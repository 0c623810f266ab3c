using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Mfa.Server.Observability;

/// <summary>
/// Hands what <see cref="Meters"/> counts to Prometheus, and metrics, traces and logs to a collector. Requests are not metered by the
/// framework: that costs more for each than all of ours.
/// </summary>
internal static class Telemetry
{
    private const string Service = "mfa-server";

    /// <summary>The framework's own spans: one a call, with its method and its status.</summary>
    private const string Requests = "Microsoft.AspNetCore";

    /// <summary>
    /// Combinations of tags of an instrument. The library keeps room for so many beforehand, at each of some forty instruments; its own
    /// number, 2,000, costs several megabytes and a tenth of the start. Ours have forty at most, but for the keys of a long ring.
    /// </summary>
    private const int Series = 200;

    public static void AddTo(IServiceCollection services, TelemetryOptions options)
    {
        var exports = options.Otlp.Length > 0;
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.Clear().AddService(Service, autoGenerateServiceInstanceId: exports))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(Meters.Name, "System.Runtime").AddView(_ => new MetricStreamConfiguration { CardinalityLimit = Series });
                if (options.Prometheus) metrics.AddPrometheusExporter();
            });
        // Before the provider, so that at the end the provider still has something to send.
        services.ConfigureOpenTelemetryMeterProvider((provider, _) => provider.GetRequiredService<Meters>());
        if (!exports) return;
        telemetry
            .WithTracing(traces => traces.AddSource(Requests).SetSampler(new TraceIdRatioBasedSampler(options.TracePercent / 100.0)))
            .WithLogging(configureBuilder: null, logs => logs.IncludeFormattedMessage = true)
            .UseOtlpExporter(options.OtlpByGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf, new Uri(options.Otlp));
    }

    /// <summary>Only on the address of pages: whoever may call for a code need not see how the service fares.</summary>
    public static void ServeMetrics(this IApplicationBuilder web, TelemetryOptions options)
    {
        if (options.Prometheus)
            web.UseOpenTelemetryPrometheusScrapingEndpoint(http => http.Request.Path.Value == "/metrics" && HttpMethods.IsGet(http.Request.Method));
    }
}
