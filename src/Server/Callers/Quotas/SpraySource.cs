namespace Mfa.Server.Callers.Quotas;

/// <summary>Whose wrong codes are counted together: those of a service, or of all people at one address.</summary>
/// <param name="Service">Null for people.</param>
internal readonly record struct SpraySource(CallerKey? Service, PeerNetwork People)
{
    public static SpraySource Of(Principal caller) => caller.Kind == CallerKind.Person
        ? new SpraySource(Service: null, PeerNetwork.Of(caller.Peer))
        : new SpraySource(CallerKey.Of(caller), default);
}
