namespace Mfa.Server.Observability;

/// <summary>Who may look at metrics, and where metrics, traces and logs are sent.</summary>
internal sealed record TelemetryOptions
{
    /// <summary>Whether anybody gets to see any of it.</summary>
    public bool IsOn => Prometheus || Otlp.Length > 0;

    /// <summary>Whether the web address serves /metrics for Prometheus. Default true.</summary>
    public bool Prometheus { get; init; } = true;

    /// <summary>The OTLP collector that metrics, traces and logs are sent to. Default: none, and then nothing is traced.</summary>
    public string Otlp { get; init; } = "";

    /// <summary>Whether it is spoken to by gRPC, rather than by protobuf over HTTP. Default true.</summary>
    public bool OtlpByGrpc { get; init; } = true;

    /// <summary>How many of a hundred calls are traced. Default 10.</summary>
    public int TracePercent { get; init; } = 10;

    /// <summary>How often accounts and the rows of ring keys are counted; each row is read for that. Default an hour.</summary>
    public TimeSpan CountEvery { get; init; } = TimeSpan.FromHours(1);
}
