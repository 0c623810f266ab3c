using System.Net;
using System.Net.Sockets;

namespace Mfa.EndToEnd.Postgres;

/// <summary>Stands between a server and its database and counts how often the server asks: what it sends before it is answered is one time.</summary>
internal sealed class CountingRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _database;
    private int _trips;

    public CountingRelay(int database)
    {
        _database = database;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many round trips there were so far, of all connections.</summary>
    public int Trips => Volatile.Read(ref _trips);

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
        using (near)
        {
            using var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await far.ConnectAsync(IPAddress.Loopback, _database);
            near.NoDelay = far.NoDelay = true;
            var asked = 0;
            await Task.WhenAny(
                PassAsync(near, far, () => _ = Interlocked.Exchange(ref asked, 1) == 0 ? Interlocked.Increment(ref _trips) : 0),
                PassAsync(far, near, () => Interlocked.Exchange(ref asked, 0)));
        }
    }

    private static async Task PassAsync(Socket from, Socket to, Action passing)
    {
        var buffer = new byte[262_144];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                passing();
                await to.SendAsync(buffer.AsMemory(0, count));
            }
        }
        catch (SocketException)
        {
            // One side is gone.
        }
    }
}
