using System.CommandLine;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server audit`: the trail of what was decided and by whom. Works beside a running server.</summary>
internal static class AuditCommand
{
    public static Command Create() => new("audit", "The audit trail: list, verify.") { AuditList.Create(), AuditVerify.Create() };
}
