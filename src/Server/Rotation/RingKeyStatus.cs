using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>One key for an operator to see.</summary>
/// <param name="State">active, old, or missing: named by rows, but not in the ring.</param>
/// <param name="Needed">How many values of each kind need it.</param>
internal sealed record RingKeyStatus(string Key, string State, DateTimeOffset? CreateTime, IReadOnlyDictionary<string, long> Needed)
{
    /// <summary>The keys of the ring, the newest first, then those that are missing.</summary>
    public static List<RingKeyStatus> Read(IStore store, string ringPath)
    {
        var content = KeyRingFile.Read(ringPath);
        var uses = KeyUses.Count(store).ToLookup(use => use.KeyId);
        var inRing = content.Keys.OrderByDescending(key => key.Created).ToDictionary(key => KeyRingFile.IdOf(key.Id));
        return
        [
            .. inRing.Select(key => Of(key.Key, key.Key == KeyRingFile.IdOf(content.Active) ? "active" : "old", key.Value.Created)),
            .. uses.Where(use => !inRing.ContainsKey(use.Key)).Select(use => Of(use.Key, "missing", created: null)),
        ];

        RingKeyStatus Of(uint id, string state, DateTimeOffset? created) => new($"{id:x8}", state, created,
            KeyUses.KindNames.ToDictionary(kind => kind, kind => uses[id].Where(use => use.Kind == kind).Sum(use => use.Count)));
    }
}
