using System.Net;
using System.Net.Sockets;

namespace Mfa.Client.Tests;

/// <summary>A stretch of network between client and server that can be cut: what is under way is lost, and whoever
/// connects next gets through.</summary>
internal sealed class CuttingRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint _server;
    private readonly string _scheme;
    private readonly List<Socket> _open = [];

    public CuttingRelay(string server)
    {
        _scheme = new Uri(server).Scheme;
        _server = IPEndPoint.Parse(new Uri(server).Authority);
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Endpoint => $"{_scheme}://{_listener.LocalEndpoint}";

    public void Cut()
    {
        lock (_open)
        {
            foreach (var socket in _open) socket.Close(timeout: 0); // with a reset, as a crashed host answers
            _open.Clear();
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        Cut();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var near = await _listener.AcceptSocketAsync();
                var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await far.ConnectAsync(_server);
                lock (_open) _open.AddRange([near, far]);
                _ = PumpAsync(near, far);
                _ = PumpAsync(far, near);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed: the test is over.
        }
    }

    private static async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[16384];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count) await to.SendAsync(buffer.AsMemory(0, count));
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }
}
