using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>The signatures of the audit trail. One that does not hold is left as it is: it is evidence.</summary>
internal sealed class AuditResealing(IStore store, KeyRing ring, TimeProvider clock) : IResealing
{
    private bool _done;

    public long Left() => store.Read(session =>
    {
        var command = session.Command("""
            SELECT (SELECT count(*) FROM audit_head WHERE key_id <> @id) + (SELECT count(*) FROM audit_checkpoints WHERE key_id <> @id)
            """);
        command.Bind("@id", (long)ring.ActiveId);
        return (long)command.ExecuteScalar()!;
    });

    public IReadOnlyList<ResealedRow> Next(int most)
    {
        if (_done || Left() == 0) return [];
        return [new ResealedRow("the audit trail", session =>
        {
            _done = session.SignTrailAgain(most, clock.GetUtcNow()) < most;
            return false; // signatures are made anew, and are not counted among the rows that were put under the key
        })];
    }
}
