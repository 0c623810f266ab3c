using System.Net;

namespace Mfa.EndToEnd.Calls;

/// <summary>
/// A stretch of network that carries requests and loses answers: while it is told to, a connection is cut as soon as the server
/// sends something back after a call, so that the server has done what the caller never hears of.
/// </summary>
internal sealed class LossyRelay(Uri server) : Relay(IPEndPoint.Parse(server.Authority))
{
    /// <summary>What a server sends before it answers a call: settings, acknowledgements, window updates and pings.</summary>
    private const byte HeadersFrame = 1;

    private int _toLose;
    private int _lost;

    public Uri Address => new($"http://127.0.0.1:{Port}");

    public int Lost => _lost;

    /// <summary>Loses the next answers.</summary>
    public void Lose(int answers) => Interlocked.Exchange(ref _toLose, answers);

    protected override (Func<Memory<byte>, ValueTask<Fate>> Asking, Func<Memory<byte>, ValueTask<Fate>> Answering)? Connect() =>
        (_ => new(Fate.Pass), bytes =>
        {
            if (!HoldsHeaders(bytes.Span) || Interlocked.Decrement(ref _toLose) < 0) return new(Fate.Pass);
            Interlocked.Increment(ref _lost);
            return new(Fate.Cut);
        });

    /// <summary>Whether an answer begins here (RFC 9113 §4.1). The server writes whole frames.</summary>
    private static bool HoldsHeaders(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 9)
        {
            if (bytes[3] == HeadersFrame) return true;
            var length = 9 + (bytes[0] << 16 | bytes[1] << 8 | bytes[2]);
            if (length >= bytes.Length) return false;
            bytes = bytes[length..];
        }

        return false;
    }
}
