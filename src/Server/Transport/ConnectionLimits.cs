using System.Net;
using System.Net.Sockets;
using Mfa.Server.Observability;
using Microsoft.AspNetCore.Connections;

namespace Mfa.Server.Transport;

/// <summary>
/// How many connections an address of the server holds, in all and from one peer. Counted before the TLS handshake, and apart for
/// each address: a flood of gRPC leaves health reachable. A connection above a limit is closed, and those that are open stay.
/// </summary>
internal sealed class ConnectionLimits(LimitOptions limits, TimeProvider clock, ILogger<ConnectionLimits> log)
{
    /// <summary>An attacker must not fill the log by being refused.</summary>
    private static readonly TimeSpan BetweenMessages = TimeSpan.FromMinutes(1);

    private readonly Dictionary<IPAddress, int> _peers = [];
    private readonly Lock _lock = new();
    private int _open;
    private int _refused;
    private long _lastMessage;

    public ConnectionDelegate Before(ConnectionDelegate next) => async connection =>
    {
        var peer = PeerOf(connection.RemoteEndPoint);
        if (!TryEnter(peer))
        {
            Report();
            connection.Abort();
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            Leave(peer);
        }
    };

    private bool TryEnter(IPAddress peer)
    {
        lock (_lock)
        {
            var count = _peers.GetValueOrDefault(peer);
            if (_open >= limits.Connections || count >= limits.ConnectionsPerPeer) return false;
            _open++;
            _peers[peer] = count + 1;
            return true;
        }
    }

    private void Leave(IPAddress peer)
    {
        lock (_lock)
        {
            _open--;
            if (--_peers[peer] == 0) _peers.Remove(peer);
        }
    }

    private void Report()
    {
        int refused;
        lock (_lock)
        {
            _refused++;
            var now = clock.GetTimestamp();
            if (_lastMessage != 0 && clock.GetElapsedTime(_lastMessage, now) < BetweenMessages) return;
            (refused, _refused, _lastMessage) = (_refused, 0, now);
        }

        log.ConnectionsRefused(refused);
    }

    /// <summary>Of IPv6 the network: whoever has one address of it has them all.</summary>
    private static IPAddress PeerOf(EndPoint? remote)
    {
        if (remote is not IPEndPoint { Address: var address }) return IPAddress.None;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
