using System.Net;
using Mfa.EndToEnd.Calls;

namespace Mfa.EndToEnd.Postgres;

/// <summary>Stands between a server and its database and counts how often the server asks: what it sends before it is answered is one time.</summary>
internal sealed class CountingRelay(int database) : Relay(new IPEndPoint(IPAddress.Loopback, database))
{
    private int _trips;

    /// <summary>How many round trips there were so far, of all connections.</summary>
    public int Trips => Volatile.Read(ref _trips);

    protected override (Func<Memory<byte>, ValueTask<Fate>> Asking, Func<Memory<byte>, ValueTask<Fate>> Answering)? Connect()
    {
        var asked = 0;
        return (_ =>
        {
            if (Interlocked.Exchange(ref asked, 1) == 0) Interlocked.Increment(ref _trips);
            return new(Fate.Pass);
        }, _ =>
        {
            Interlocked.Exchange(ref asked, 0);
            return new(Fate.Pass);
        });
    }
}
