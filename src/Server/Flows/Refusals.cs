using Mfa.Server.Domain;
using Mfa.Server.Store;

namespace Mfa.Server.Flows;

/// <summary>Refusals that are clear before anything is decided on. They are on record before they are told, like everything else.</summary>
internal sealed class Refusals(IStore store)
{
    public async Task<Refusal> RecordAsync(AuditEntry entry, RefusalKind kind)
    {
        await store.AuditAsync(entry.Refused(ReasonOf(kind)));
        return new Refusal(kind);
    }

    private static AuditReason ReasonOf(RefusalKind kind) => kind switch
    {
        RefusalKind.NotEnabled => AuditReason.NotEnabled,
        RefusalKind.AlreadyEnabled => AuditReason.AlreadyEnabled,
        RefusalKind.EnrollmentNotFound => AuditReason.EnrollmentNotFound,
        RefusalKind.MethodSendsNoCode => AuditReason.MethodSendsNoCode,
        RefusalKind.NoEmail => AuditReason.NoEmail,
        RefusalKind.DestinationNotAllowed => AuditReason.DestinationNotAllowed,
        RefusalKind.Conflict => AuditReason.Conflict,
        // The others come out of a decision, which brings its own row, or are bad input, which leaves none.
        RefusalKind.Unspecified or RefusalKind.RequestIdReused or RefusalKind.CodeRefused or RefusalKind.CodeLength or RefusalKind.Locked
            or RefusalKind.TokenRefused or RefusalKind.SendLimit => AuditReason.None,
    };
}
