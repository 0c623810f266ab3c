using Grpc.AspNetCore.Server;
using Grpc.Core;
using Mfa.Server.Callers;
using Mfa.Server.Observability;
using Microsoft.AspNetCore.Authorization;

namespace Mfa.Server.Services;

/// <summary>
/// Stands before every endpoint and refuses by default. What an endpoint needs comes from its own metadata: the routing
/// ignores case and decodes percent signs, so a path tells nothing. Runs before the request's body is read.
/// </summary>
internal sealed class CallerGate(
    RequestDelegate next, ApiKeys keys, JwtCallers tokens, ClientCertificates certificates, PasswordGate passwords, ILogger<CallerGate> log)
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
            log.CallerRefused(RpcOf(http)?.FullName ?? UnknownMethod, http.Connection.RemoteIpAddress?.ToString() ?? "", refusal.StatusCode.ToString());
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

        var caller = Credential.Read(http.Connection.ClientCertificate, http.Request.Headers.Authorization) switch
        {
            KeyCredential key => keys.Authenticate(key.Key),
            TokenCredential token => await tokens.AuthenticateAsync(token.Token, http.RequestAborted),
            CertificateCredential certificate => certificates.Authenticate(certificate.Certificate),
            PasswordCredential password => await AuthenticateAsync(password, http.RequestAborted),
            _ => null,
        } ?? throw Errors.Unauthenticated();

        if (RpcOf(http) is not { } rpc) throw Errors.UnknownRpc();
        if (!Permissions.Allows(caller, rpc)) throw Errors.CallerNotAllowed();
        http.Features.Set(caller);
    }

    private async Task<Principal?> AuthenticateAsync(PasswordCredential credential, CancellationToken ct) =>
        await passwords.CheckAsync(credential.Name, credential.Password, ct) switch
        {
            PasswordAnswer.Right => Principal.Person(credential.Name),
            PasswordAnswer.Refused => null,
            PasswordAnswer.Busy => throw Errors.CallerLimit(TimeSpan.FromSeconds(1)),
        };

    private static IMethod? RpcOf(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method;
}
