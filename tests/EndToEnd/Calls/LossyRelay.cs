using System.Net;
using System.Net.Sockets;

namespace Mfa.EndToEnd.Calls;

/// <summary>
/// A stretch of network that carries requests and loses answers: while it is told to, a connection is cut as soon as the server
/// sends something back after a call, so that the server has done what the caller never hears of.
/// </summary>
internal sealed class LossyRelay : IDisposable
{
    /// <summary>What a server sends before it answers a call: settings, acknowledgements, window updates and pings.</summary>
    private const byte HeadersFrame = 1;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint _server;
    private int _toLose;
    private int _lost;

    public LossyRelay(Uri server)
    {
        _server = IPEndPoint.Parse(server.Authority);
        _listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"http://{_listener.LocalEndpoint}");

    public int Lost => _lost;

    /// <summary>Loses the next answers.</summary>
    public void Lose(int answers) => Interlocked.Exchange(ref _toLose, answers);

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = RelayAsync(await _listener.AcceptSocketAsync());
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task RelayAsync(Socket near)
    {
        using var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await far.ConnectAsync(_server);
        using (near)
        {
            await Task.WhenAny(PumpAsync(near, far, answers: false), PumpAsync(far, near, answers: true));
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool answers)
    {
        var buffer = new byte[16384];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                if (answers && HoldsHeaders(buffer.AsSpan(0, count)) && Interlocked.Decrement(ref _toLose) >= 0)
                {
                    Interlocked.Increment(ref _lost);
                    return;
                }

                await to.SendAsync(buffer.AsMemory(0, count));
            }
        }
        catch (Exception cut) when (cut is SocketException or ObjectDisposedException)
        {
            // One side is gone.
        }
    }

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
