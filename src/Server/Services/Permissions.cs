using Mfa.Server.Callers;
using Mfa.V1;

namespace Mfa.Server.Services;

/// <summary>
/// Which scope each rpc needs: the whole table, in one place. An rpc that is not in it is refused to everybody.
/// </summary>
internal static class Permissions
{
    private static readonly Dictionary<string, Scopes> Needed = new(StringComparer.Ordinal)
    {
        [nameof(MfaService.MfaServiceBase.Verify)] = Scopes.Verify,
        [nameof(MfaService.MfaServiceBase.GetStatus)] = Scopes.Verify,
        [nameof(MfaService.MfaServiceBase.Enable)] = Scopes.Enroll,
        [nameof(MfaService.MfaServiceBase.GetToken)] = Scopes.Verify,
        [nameof(MfaService.MfaServiceBase.RegenerateRecoveryCodes)] = Scopes.Enroll,
        [nameof(MfaService.MfaServiceBase.Disable)] = Scopes.Disable,
        [nameof(MfaService.MfaServiceBase.ConfirmDisable)] = Scopes.Disable,
    };

    /// <param name="rpc">The method's own descriptor from the endpoint, never the path that was asked for.</param>
    public static bool Allows(Principal caller, Grpc.Core.IMethod rpc) =>
        rpc.ServiceName == MfaService.Descriptor.FullName
        && Needed.TryGetValue(rpc.Name, out var scope)
        && caller.Scopes.HasFlag(scope);
}
