using Mfa.Server.Callers;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>
/// Adds keys to the ring and takes them out. The order of the steps is what makes a crash between any two of them harmless,
/// see docs/decisions/007-key-rotation.md. For one process at a time: the caller holds the ring's lock.
/// </summary>
internal sealed class KeyRotation(IStore store, KeyRing ring, string ringPath, TimeProvider clock)
{
    /// <summary>
    /// How long a call that began before its server took the new key over may need to save what it protected with the old one,
    /// and an operator verb that had opened the folder by then to end. A call takes milliseconds, a password at the most
    /// rounds that are accepted 9 s.
    /// </summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    /// <summary>Puts a new key in front; the others still open what was protected with them.</summary>
    public async Task<uint> RotateAsync()
    {
        // 1. The file: from here on both keys are known to whoever starts. A crash before leaves the old file.
        var content = KeyRingFile.Read(ringPath);
        var key = KeyRingFile.NewKey(content.Keys, clock.GetUtcNow());
        KeyRingFile.Replace(ringPath, new KeyRingContent(key.Id, [.. content.Keys, key]));

        // 2. The check value: whoever comes first, this process or a server that has seen the file, saves it.
        ring.TakeOver(KeyRingFile.Load(ringPath));
        await RingCheck.RunAsync(store, ring, ringPath);
        await store.AuditAsync(Operator.Did($"secrets rotate: key {ring.ActiveId:x8}", clock.GetUtcNow()));
        return ring.ActiveId;
    }

    /// <returns>From when on nobody protects anything with another key than the active one; null while a server still does.</returns>
    public DateTimeOffset? SettledTime(bool served)
    {
        var active = KeyRingFile.Read(ringPath).Keys.Single(key => KeyRingFile.IdOf(key.Id) == ring.ActiveId);
        if (!served) return active.Created + Grace;
        return store.Read(session => RingKeyRows.ServeTime(session, ring.ActiveId)) + Grace;
    }

    /// <summary>Takes a key out that nothing needs any more.</summary>
    public async Task RemoveAsync(uint keyId)
    {
        // 1. What was sealed with it may still lie in the write-ahead log, beside the rows that took its place.
        await store.EmptyLogAsync();

        // 2. The database stops asking for it. A crash from here on leaves a key in the file that nobody needs.
        await store.WriteAsync(session =>
        {
            session.Audit(Operator.Did($"secrets remove {keyId:x8}", clock.GetUtcNow()));
            return RingKeyRows.Remove(session, keyId);
        });

        // 3. The file.
        var content = KeyRingFile.Read(ringPath);
        KeyRingFile.Replace(ringPath, content with { Keys = [.. content.Keys.Where(key => KeyRingFile.IdOf(key.Id) != keyId)] });
    }
}
