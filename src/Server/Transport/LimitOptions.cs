using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mfa.Server.Transport;

/// <summary>
/// What a peer may take before anybody knows who it is: a bound for everything that it can make the server keep or wait for.
/// </summary>
internal sealed record LimitOptions
{
    /// <summary>Set through <c>limits:messageBytes</c>. Default 64 KiB: an Enable with every field at its limit is a few hundred bytes.</summary>
    public int MessageBytes { get; init; } = 64 * 1024;

    /// <summary>Set through <c>limits:headers</c>. Default 64: gRPC needs 8, tracing and proxies add some.</summary>
    public int Headers { get; init; } = 64;

    /// <summary>Set through <c>limits:headerBytes</c>, all names and values of a request together. Default 16 KiB: tokens of 8 KiB fit.</summary>
    public int HeaderBytes { get; init; } = 16 * 1024;

    /// <summary>Set through <c>limits:streams</c>, calls in flight on a connection. Default 100; RFC 9113 §6.5.2 advises no less.</summary>
    public int Streams { get; init; } = 100;

    /// <summary>Set through <c>limits:connections</c>, on each of the two addresses. Default 2,000.</summary>
    public int Connections { get; init; } = 2_000;

    /// <summary>Set through <c>limits:connectionsPerPeer</c>. Default 1,000: one peer never takes all the places.</summary>
    public int ConnectionsPerPeer { get; init; } = 1_000;

    /// <summary>Set through <c>limits:idleSeconds</c>, until a connection without calls is closed. Default 120 s.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Set through <c>limits:pingSeconds</c>, until a silent connection is asked whether it still lives. Default 30 s.</summary>
    public TimeSpan Ping { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Set through <c>limits:handshakeSeconds</c>, for the whole TLS handshake. Default 5 s.</summary>
    public TimeSpan Handshake { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Set through <c>limits:headerSeconds</c>, until the headers of a request are complete. Default 5 s.</summary>
    public TimeSpan HeaderTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Set through <c>limits:bodySeconds</c>, until a body that trickles in is given up. Default 5 s.</summary>
    public TimeSpan BodyTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Set through <c>limits:graceSeconds</c>, for calls in flight when the server is asked to stop. Default 20 s.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(20);

    public void SetOn(KestrelServerLimits limits)
    {
        limits.MaxConcurrentConnections = Connections; // Kestrel counts each address apart: a flood of one leaves health to the other
        limits.MaxRequestHeaderCount = Headers;
        limits.MaxRequestHeadersTotalSize = HeaderBytes;
        limits.RequestHeadersTimeout = HeaderTime;
        limits.KeepAliveTimeout = Idle;
        limits.MinRequestBodyDataRate = new MinDataRate(LeastBytesPerSecond, BodyTime);
        limits.MinResponseDataRate = new MinDataRate(LeastBytesPerSecond, BodyTime);
        limits.MaxRequestBodySize = MessageBytes + RoomForFraming;

        limits.Http2.MaxStreamsPerConnection = Streams;
        limits.Http2.MaxRequestHeaderFieldSize = HeaderBytes;
        limits.Http2.KeepAlivePingDelay = Ping;
        limits.Http2.KeepAlivePingTimeout = PingAnswer;
        // What a connection can have buffered here, whatever it opens: two of the largest messages.
        limits.Http2.InitialConnectionWindowSize = Math.Max(2 * MessageBytes, LeastWindow);
        limits.Http2.InitialStreamWindowSize = Math.Max(MessageBytes, LeastWindow);
    }

    /// <summary>Slower than any line that carries TLS at all.</summary>
    private const double LeastBytesPerSecond = 240;

    /// <summary>RFC 9113 §6.9.2: where every window starts, and the least that the framework takes.</summary>
    private const int LeastWindow = 65_535;

    /// <summary>gRPC puts 5 bytes before a message; the rest is generous, so that the answer to a large one comes from gRPC.</summary>
    private const int RoomForFraming = 1024 * 1024;

    private static readonly TimeSpan PingAnswer = TimeSpan.FromSeconds(20);
}
