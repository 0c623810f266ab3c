using Mfa.Server.Callers.Quotas;

namespace Mfa.Server.Callers;

/// <summary>
/// The places of password checks, running and waiting. One address or one name gets only some of them, so that neither can
/// keep everybody else out.
/// </summary>
internal sealed class PasswordQueue(PasswordOptions options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<PeerNetwork, int> _peers = [];
    private int _places = options.Parallel + options.Queue;

    /// <returns>False when there is no place for this name or address; otherwise <see cref="Leave"/> gives it back.</returns>
    public bool TryEnter(string name, PeerNetwork peer)
    {
        lock (_lock)
        {
            if (_places == 0 || _names.GetValueOrDefault(name) >= options.PerName || _peers.GetValueOrDefault(peer) >= options.PerPeer)
                return false;
            _places--;
            _names[name] = _names.GetValueOrDefault(name) + 1;
            _peers[peer] = _peers.GetValueOrDefault(peer) + 1;
            return true;
        }
    }

    public void Leave(string name, PeerNetwork peer)
    {
        lock (_lock)
        {
            _places++;
            Less(_names, name);
            Less(_peers, peer);
        }
    }

    private static void Less<T>(Dictionary<T, int> counts, T key) where T : notnull
    {
        if (--counts[key] == 0) counts.Remove(key);
    }
}
