using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>The standing key: one row, whose plain value stays the same, so that a running server need not know.</summary>
internal sealed class StandingKeyResealing(IStore store, KeyRing ring) : IResealing
{
    private readonly Sealer _sealer = new(ring);
    private bool _done;

    public long Left() => Find() is null ? 0 : 1;

    public IReadOnlyList<ResealedRow> Next(int most)
    {
        if (_done || Find() is not { } old) return [];
        _done = true;
        return [ResealedRow.Of("the standing key", () => Reseal(old))];
    }

    private SealedBytes? Find() =>
        store.Read(StandingKeyRow.Find) is { } content && new SealedBytes(content) is var row && Sealer.KeyIdOf(row) != ring.ActiveId ? row : null;

    private Func<Session, bool> Reseal(SealedBytes old)
    {
        var resealed = _sealer.Reseal(old, Sealer.StandingKeyBinding());
        return session => StandingKeyRow.Replace(session, old.Bytes, resealed.Bytes);
    }
}
