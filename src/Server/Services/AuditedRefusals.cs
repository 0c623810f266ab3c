using Google.Rpc;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.V1;

namespace Mfa.Server.Services;

/// <summary>Which errors are refusals of a caller, and what the audit trail knows of the call.</summary>
internal static class AuditedRefusals
{
    /// <summary>Errors of other kinds leave no row here: they are bad input, or come from a flow that has told the trail itself.</summary>
    public static async Task RecordAsync(this RefusedCallers refused, HttpContext http, RpcException refusal)
    {
        if (ReasonOf(refusal) is not { } reason) return;
        var caller = http.Features.Get<Principal>();
        var by = caller?.Audited ?? new AuditCaller("", RefusedCallers.PeerOf(http.Connection.RemoteIpAddress));
        await refused.RecordAsync(ActOf(http), by, caller?.Tenant ?? "", reason);
    }

    private static AuditReason? ReasonOf(RpcException refusal) => refusal.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason switch
    {
        "UNAUTHENTICATED" => AuditReason.Unauthenticated,
        "CALLER_NOT_ALLOWED" => AuditReason.CallerNotAllowed,
        "CALLER_LIMIT" => AuditReason.CallerLimit,
        _ => null,
    };

    private static AuditAct ActOf(HttpContext http) =>
        http.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method is { } rpc
        && rpc.ServiceName == MfaService.Descriptor.FullName && System.Enum.TryParse<AuditAct>(rpc.Name, out var act)
            ? act
            : AuditAct.Call;
}
