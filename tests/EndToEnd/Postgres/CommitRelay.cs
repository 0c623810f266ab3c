using System.Net;
using System.Net.Sockets;

namespace Mfa.EndToEnd.Postgres;

/// <summary>
/// The network between a server and its database, which can break in the worst moment: while a group of decisions is being
/// committed. Requests that save such a group are told by the statement that moves the end of the audit trail, which is prepared once on
/// each connection and then goes by its name.
/// </summary>
internal sealed class CommitRelay : IDisposable
{
    private static readonly byte[] MoveHead = "UPDATE audit_head SET seq = $1"u8.ToArray();

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _database;
    private int _cut;
    private volatile bool _down;

    public CommitRelay(int database)
    {
        _database = database;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The next commit gets through, and its answer does not.</summary>
    /// <param name="andStay">Nothing gets through after it, until <see cref="Mend"/>.</param>
    public void LoseAnswer(bool andStay) => Interlocked.Exchange(ref _cut, andStay ? 2 : 1);

    /// <summary>The next commit does not get through.</summary>
    public void LoseCommit() => Interlocked.Exchange(ref _cut, 3);

    public void Mend() => _down = false;

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
            if (_down) return;
            using var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await far.ConnectAsync(IPAddress.Loopback, _database);
            var answerLost = new TaskCompletionSource<bool>();
            await Task.WhenAny(AskAsync(near, far, answerLost), AnswerAsync(far, near, answerLost));
        }
    }

    private async Task AskAsync(Socket near, Socket far, TaskCompletionSource<bool> answerLost)
    {
        var buffer = new byte[262_144];
        byte[]? bind = null;
        try
        {
            while (await near.ReceiveAsync(buffer) is > 0 and var count)
            {
                bind = BindOf(buffer.AsSpan(0, count)) ?? bind;
                if (bind is not null && buffer.AsSpan(0, count).IndexOf(bind) >= 0 && Interlocked.Exchange(ref _cut, 0) is > 0 and var cut)
                {
                    if (cut == 3) return;
                    answerLost.SetResult(cut == 2);
                }

                await far.SendAsync(buffer.AsMemory(0, count));
            }
        }
        catch (SocketException)
        {
            // One side is gone.
        }
    }

    private async Task AnswerAsync(Socket far, Socket near, TaskCompletionSource<bool> answerLost)
    {
        var buffer = new byte[262_144];
        try
        {
            while (await far.ReceiveAsync(buffer) is > 0 and var count)
            {
                if (answerLost.Task.IsCompletedSuccessfully)
                {
                    if (!EndsRequest(buffer.AsSpan(0, count))) continue; // it is not committed yet
                    _down = await answerLost.Task;
                    return;
                }

                await near.SendAsync(buffer.AsMemory(0, count));
            }
        }
        catch (SocketException)
        {
            // One side is gone.
        }
    }

    /// <summary>Of the message Parse, which gives the statement its name: what the message Bind holds of it, the end of the portal's name first.</summary>
    private static byte[]? BindOf(ReadOnlySpan<byte> asked)
    {
        if (asked.IndexOf(MoveHead) is not (>= 0 and var at)) return null;
        var end = asked[..at].LastIndexOf((byte)0);
        var name = asked[..end];
        return [0, .. name[(name.LastIndexOfAnyExceptInRange((byte)'0', (byte)'z') + 1)..], 0];
    }

    /// <summary>ReadyForQuery, idle: the last six bytes of an answer whose transaction has ended.</summary>
    private static bool EndsRequest(ReadOnlySpan<byte> answer) => answer.EndsWith("Z\0\0\0\u0005I"u8);
}
