using System.Diagnostics.Metrics;

namespace Mfa.Server.Observability;

/// <summary>What is counted for operators. No tag names a caller or an account: those come without end.</summary>
internal sealed class Meters : IDisposable
{
    public const string Name = "Mfa.Server";

    private readonly Meter _meter;
    private readonly Counter<long> _limited;
    private readonly Counter<long> _sprays;

    public Meters()
    {
        _meter = new Meter(new MeterOptions(Name) { Scope = this }); // the scope tells servers of one process apart
        _limited = _meter.CreateCounter<long>("mfa.callers.limited", "{call}", "Calls answered CALLER_LIMIT, by limit.");
        _sprays = _meter.CreateCounter<long>("mfa.sprays", "{episode}", "Sprays of wrong codes noticed, by source.");
    }

    /// <param name="limit">The name that the caller is told, too.</param>
    public void Limited(string limit) => _limited.Add(1, KeyValuePair.Create<string, object?>("limit", limit));

    public void Sprayed(string source) => _sprays.Add(1, KeyValuePair.Create<string, object?>("source", source));

    public void Dispose() => _meter.Dispose();
}
