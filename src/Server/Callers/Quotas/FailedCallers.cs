using Mfa.Server.Observability;

namespace Mfa.Server.Callers.Quotas;

/// <summary>
/// How often an address may fail to prove who it is. A key is looked at all the same, because that is cheap: whoever shares an
/// address with an attacker keeps a way in. A password is not, because looking at it is what costs.
/// </summary>
internal sealed class FailedCallers
{
    /// <summary>A wrong password weighs as many wrong keys: it costs thousands of times as much, and it can be guessed.</summary>
    public const int WrongPassword = 20;

    private const int MaxPeers = 16_384;

    private readonly BoundedTable<PeerNetwork, Peer> _peers;
    private readonly Meters _meters;
    private readonly ILogger<FailedCallers> _log;

    public FailedCallers(QuotaOptions options, TimeProvider clock, Meters meters, ILogger<FailedCallers> log)
    {
        (_meters, _log) = (meters, log);
        _peers = new(MaxPeers, _ => new Peer(new Bucket(options.Failures, clock), new RefusalTally(clock)), peer => peer.Failures.IsFull, clock);
    }

    /// <summary>Counts a call without a right credential.</summary>
    /// <returns>Null while the address may fail; otherwise what to answer instead of why it failed.</returns>
    public Limited? Count(PeerNetwork network)
    {
        var peer = _peers.Get(network);
        return Refused(network, peer, peer.Failures.Take());
    }

    /// <summary>Counts a wrong password.</summary>
    public void CountPassword(PeerNetwork network) => _peers.Get(network).Failures.Take(WrongPassword);

    /// <summary>Asked before a password is looked at.</summary>
    /// <returns>Null when the address may be wrong once more.</returns>
    public Limited? BeforePassword(PeerNetwork network) =>
        _peers.Find(network) is { } peer ? Refused(network, peer, peer.Failures.WaitFor(WrongPassword)) : null;

    /// <returns>How often each address has failed since this was asked last.</returns>
    public IEnumerable<FailedCalls> Untold() =>
        from peer in _peers.All
        let failed = new FailedCalls(peer.Key, peer.Value.Failures.Untold())
        where failed.Failures > 0
        select failed;

    /// <summary>Counts how often an address has failed on another server, so long ago.</summary>
    public void Hear(FailedCalls failed, TimeSpan age) => _peers.Get(failed.Network).Failures.Charge(failed.Failures, age);

    private Limited? Refused(PeerNetwork network, Peer peer, TimeSpan wait)
    {
        if (wait == TimeSpan.Zero) return null;
        _meters.Limited("failures");
        if (peer.Refusals.Report() is { } times) _log.PeerLimited(network.ToString(), times);
        return new Limited("failures", wait);
    }

    private sealed record Peer(Bucket Failures, RefusalTally Refusals);
}
