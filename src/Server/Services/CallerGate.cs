using System.Net;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Mfa.Server.Callers;
using Mfa.Server.Callers.Quotas;
using Mfa.Server.Observability;
using Microsoft.AspNetCore.Authorization;

namespace Mfa.Server.Services;

/// <summary>
/// Stands before every endpoint and refuses by default. What an endpoint needs comes from its own metadata: the routing
/// ignores case and decodes percent signs, so a path tells nothing. Runs before the request's body is read.
/// </summary>
internal sealed class CallerGate(
    RequestDelegate next, ApiKeys keys, JwtCallers tokens, ClientCertificates certificates, PasswordGate passwords, FailedCallers failures,
    CallerQuotas quotas, RefusedCallers refused, ILogger<CallerGate> log)
{
    private const string UnknownMethod = "an unknown method"; // what was asked for is the caller's text: not for the log

    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await AdmitAsync(http);
        }
        catch (RpcException refusal)
        {
            // Those past a limit come in floods; the limits tell of them in their own measure.
            if (refusal.StatusCode != StatusCode.ResourceExhausted)
                log.CallerRefused(RpcOf(http)?.FullName ?? UnknownMethod, RefusedCallers.PeerOf(http.Connection.RemoteIpAddress), refusal.StatusCode.ToString());
            await refused.RecordAsync(http, refusal);
            TrailersOnly.Write(http.Response, refusal);
            return;
        }
        catch (Store.StoreUnavailableException why)
        {
            log.StoreUnavailable(why, RpcOf(http)?.FullName ?? UnknownMethod);
            TrailersOnly.Write(http.Response, Errors.StoreUnavailable());
            return;
        }
        catch (Exception why) when (!http.RequestAborted.IsCancellationRequested)
        {
            log.CallFailed(why, RpcOf(http)?.FullName ?? UnknownMethod);
            TrailersOnly.Write(http.Response, Errors.Internal());
            return;
        }

        await next(http);
    }

    private async Task AdmitAsync(HttpContext http)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null) return;

        var peer = http.Connection.RemoteIpAddress;
        var caller = Credential.Read(http.Connection.ClientCertificate, http.Request.Headers.Authorization) switch
        {
            KeyCredential key => keys.Authenticate(key.Key),
            TokenCredential token => await tokens.AuthenticateAsync(token.Token, http.RequestAborted),
            CertificateCredential certificate => certificates.Authenticate(certificate.Certificate),
            PasswordCredential password => await AuthenticateAsync(password, peer, http.RequestAborted),
            _ => null,
        } ?? throw (failures.Count(PeerNetwork.Of(peer)) is { } failing ? Errors.CallerLimit(failing) : Errors.Unauthenticated());
        caller = caller with { Peer = peer };
        http.Features.Set(caller); // also for the row about a refusal

        if (quotas.TakeCall(caller) is { } calls) throw Errors.CallerLimit(calls);

        if (RpcOf(http) is not { } rpc) throw Errors.UnknownRpc();
        if (!Permissions.Allows(caller, rpc)) throw Errors.CallerNotAllowed();
        if (Permissions.IsGuess(rpc) && quotas.TakeGuess(caller) is { } guesses) throw Errors.CallerLimit(guesses);
    }

    private async Task<Principal> AuthenticateAsync(PasswordCredential credential, IPAddress? peer, CancellationToken ct)
    {
        var check = await passwords.CheckAsync(credential.Name, credential.Password, PeerNetwork.Of(peer), ct);
        if (check.Limited is { } limited) throw Errors.CallerLimit(limited);
        return check.IsRight ? Principal.Person(credential.Name) : throw Errors.Unauthenticated(); // counted by the password gate
    }

    private static IMethod? RpcOf(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method;
}
