using Mfa.Server.Callers;
using Mfa.V1;

namespace Mfa.Server.Services;

/// <summary>
/// Which scope each rpc needs, and whether it is a guess: the whole table, in one place. An rpc that is not in it is refused to
/// everybody. Enable is a guess though its code is optional: that is decided before the request is read.
/// </summary>
internal static class Permissions
{
    private static readonly Dictionary<string, (Scopes Scope, bool IsGuess)> Needed = new(StringComparer.Ordinal)
    {
        [nameof(MfaService.MfaServiceBase.Verify)] = (Scopes.Verify, IsGuess: true),
        [nameof(MfaService.MfaServiceBase.GetStatus)] = (Scopes.Verify, IsGuess: false),
        [nameof(MfaService.MfaServiceBase.Enable)] = (Scopes.Enroll, IsGuess: true),
        [nameof(MfaService.MfaServiceBase.GetToken)] = (Scopes.Verify, IsGuess: false),
        [nameof(MfaService.MfaServiceBase.RegenerateRecoveryCodes)] = (Scopes.Enroll, IsGuess: true),
        [nameof(MfaService.MfaServiceBase.Disable)] = (Scopes.Disable, IsGuess: false),
        [nameof(MfaService.MfaServiceBase.ConfirmDisable)] = (Scopes.Disable, IsGuess: true),
    };

    /// <param name="rpc">The method's own descriptor from the endpoint, never the path that was asked for.</param>
    public static bool Allows(Principal caller, Grpc.Core.IMethod rpc) =>
        rpc.ServiceName == MfaService.Descriptor.FullName
        && Needed.TryGetValue(rpc.Name, out var needed)
        && caller.Scopes.HasFlag(needed.Scope);

    /// <summary>Whether it submits a code or a token.</summary>
    public static bool IsGuess(Grpc.Core.IMethod rpc) => Needed.TryGetValue(rpc.Name, out var needed) && needed.IsGuess;
}
