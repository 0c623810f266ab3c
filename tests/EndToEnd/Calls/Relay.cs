using System.Net;
using System.Net.Sockets;

namespace Mfa.EndToEnd.Calls;

/// <summary>What becomes of bytes on their way.</summary>
internal enum Fate
{
    /// <summary>They arrive.</summary>
    Pass = 0,

    /// <summary>They are lost, and the connection stays.</summary>
    Drop,

    /// <summary>They are lost with the connection.</summary>
    Cut,
}

/// <summary>A stretch of network between two programs of this machine, which a test may look into and break.</summary>
internal abstract class Relay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IPEndPoint _target;

    protected Relay(IPEndPoint target)
    {
        _target = target;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Closes all connections, also those that are held up.</summary>
    public void Dispose()
    {
        _over.TrySetResult();
        _listener.Dispose();
    }

    /// <summary>A connection is made. Both ways may hold up, change and lose what they are given.</summary>
    /// <returns>Null to refuse it.</returns>
    protected abstract (Func<Memory<byte>, ValueTask<Fate>> Asking, Func<Memory<byte>, ValueTask<Fate>> Answering)? Connect();

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
            if (Connect() is not { } ways) return;
            using var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await far.ConnectAsync(_target);
            near.NoDelay = far.NoDelay = true;
            await Task.WhenAny(_over.Task, PassAsync(near, far, ways.Asking), PassAsync(far, near, ways.Answering));
        }
    }

    private static async Task PassAsync(Socket from, Socket to, Func<Memory<byte>, ValueTask<Fate>> passing)
    {
        var buffer = new byte[262_144];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                var fate = await passing(buffer.AsMemory(0, count));
                if (fate == Fate.Cut) return;
                if (fate == Fate.Pass) await to.SendAsync(buffer.AsMemory(0, count));
            }
        }
        catch (Exception cut) when (cut is SocketException or ObjectDisposedException)
        {
            // One side is gone.
        }
    }
}
