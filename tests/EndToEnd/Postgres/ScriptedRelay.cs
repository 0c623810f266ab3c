using System.Net;
using System.Net.Sockets;

namespace Mfa.EndToEnd.Postgres;

/// <summary>The network between a program and its database, where a test may look at what is asked, hold it up, and change what is answered.</summary>
internal sealed class ScriptedRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();
    private readonly int _database;
    private readonly Func<ReadOnlyMemory<byte>, Task>? _asking;
    private readonly Action<Memory<byte>>? _answering;

    /// <param name="database">The port.</param>
    /// <param name="asking">What is about to be sent to the database; it is once this has ended.</param>
    /// <param name="answering">What the database sends, to be changed in place.</param>
    public ScriptedRelay(int database, Func<ReadOnlyMemory<byte>, Task>? asking = null, Action<Memory<byte>>? answering = null)
    {
        (_database, _asking, _answering) = (database, asking, answering);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Closes all connections, also those that are held up.</summary>
    public void Dispose()
    {
        _over.Cancel();
        _listener.Dispose();
        _over.Dispose();
    }

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
            await Task.WhenAny(
                Task.Delay(Timeout.Infinite, _over.Token),
                PassAsync(near, far, bytes => _asking?.Invoke(bytes) ?? Task.CompletedTask),
                PassAsync(far, near, bytes =>
                {
                    _answering?.Invoke(bytes);
                    return Task.CompletedTask;
                }));
        }
    }

    private static async Task PassAsync(Socket from, Socket to, Func<Memory<byte>, Task> passing)
    {
        var buffer = new byte[262_144];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                await passing(buffer.AsMemory(0, count));
                await to.SendAsync(buffer.AsMemory(0, count));
            }
        }
        catch (SocketException)
        {
            // One side is gone.
        }
    }
}
