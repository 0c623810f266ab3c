using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Mfa.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Method = Mfa.V1.Method;

namespace Mfa.Client.Tests;

/// <summary>A server that answers what the test tells it to and remembers what it was asked.</summary>
internal sealed class StubServer : MfaService.MfaServiceBase, IAsyncDisposable
{
    public const string EnrollmentId = "0b3e5b0c-6f0e-4d7e-9d55-3c1f6b1f2a90";
    public const string Secret = "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ";
    public const string KeyUri = $"otpauth://totp/Example%20Corp:alice?secret={Secret}&issuer=Example%20Corp&algorithm=SHA1&digits=6&period=30";
    public const string RightCode = "123456";
    public const string RightToken = "Zm9ydHktdGhyZWUgc3ltYm9scyBvZiBCYXNlNjR1cmw";

    public static readonly Timestamp Noon = new() { Seconds = 1777636800 }; // 2026-05-01T12:00:00Z

    public static readonly string[] RecoveryCodes =
        [.. Enumerable.Range(1, 8).Select(n => $"{n}ABCD-EFGHJ-KMNPQ-RSTVW-XYZ0{n}")];

    private readonly WebApplication _app;

    private StubServer(X509Certificate2? certificate, Action<SslServerAuthenticationOptions>? tls)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (certificate is null) return;
            var terms = new SslServerAuthenticationOptions { ServerCertificate = certificate, ApplicationProtocols = [SslApplicationProtocol.Http2] };
            tls?.Invoke(terms);
            // This way Kestrel lets it show a certificate that is not one for servers.
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(terms) });
        }));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(this);
        _app = builder.Build();
        _app.MapGrpcService<StubServer>();
    }

    public string Endpoint { get; private set; } = "";

    public ConcurrentQueue<IMessage> Requests { get; } = [];
    public ConcurrentQueue<string?> Authorizations { get; } = [];

    /// <summary>The subjects of the client certificates that came with the calls; null for none.</summary>
    public ConcurrentQueue<string?> ShownCertificates { get; } = [];
    public ConcurrentQueue<TimeSpan> TimeGiven { get; } = [];

    public Func<EnableRequest, EnableResponse> OnEnable { get; set; } = _ => Enrollment();
    public Func<VerifyRequest, VerifyResponse> OnVerify { get; set; } = request => request.Code == RightCode
        ? new() { Verdict = Verdict.Accepted, Factor = Factor.Authenticator, AttemptsRemaining = 5, RecoveryCodesRemaining = 8 }
        : new() { Verdict = Verdict.Rejected, Factor = Factor.Authenticator, AttemptsRemaining = 4, RecoveryCodesRemaining = 8 };
    public Func<GetStatusRequest, GetStatusResponse> OnGetStatus { get; set; } = _ => new() { State = State.Disabled };
    public Func<RegenerateRecoveryCodesRequest, RegenerateRecoveryCodesResponse> OnRegenerate { get; set; } =
        _ => new() { RecoveryCodes = { RecoveryCodes } };
    public Func<GetTokenRequest, GetTokenResponse> OnGetToken { get; set; } = _ => new()
    {
        Method = Method.Email,
        Destination = "j***@e***.org",
        ExpireTime = Noon,
        ResendTime = new() { Seconds = Noon.Seconds - 240 },
    };
    public Func<DisableRequest, DisableResponse> OnDisable { get; set; } =
        _ => new() { Destination = "j***@e***.org", ExpireTime = Noon };
    public Func<ConfirmDisableRequest, ConfirmDisableResponse> OnConfirmDisable { get; set; } =
        request => request.Token == RightToken
            ? new() { DisableTime = Noon }
            : throw Error(StatusCode.PermissionDenied, ErrorReason.TokenRefused);

    /// <param name="certificate">With one it speaks TLS.</param>
    /// <param name="tls">What it wants of clients.</param>
    public static async Task<StubServer> StartAsync(X509Certificate2? certificate = null, Action<SslServerAuthenticationOptions>? tls = null)
    {
        var server = new StubServer(certificate, tls);
        await server._app.StartAsync();
        server.Endpoint = server._app.Urls.Single();
        return server;
    }

    public static EnableResponse Enrollment() => new()
    {
        EnrollmentId = EnrollmentId,
        Method = Method.Authenticator,
        Account = "alice",
        Issuer = "Example Corp",
        Secret = Secret,
        OtpauthUri = KeyUri,
        QrCodeSvg = "<svg/>",
        RecoveryCodes = { RecoveryCodes },
        ExpireTime = Noon,
    };

    /// <summary>What Enable answers when the first code was sent.</summary>
    public static EnableResponse SentEnrollment(Method method = Method.Email) => new()
    {
        EnrollmentId = EnrollmentId,
        Method = method,
        Account = "alice",
        Issuer = "Example Corp",
        RecoveryCodes = { RecoveryCodes },
        Destination = method == Method.Sms ? "+1 *** *** **23" : "j***@e***.org",
        ExpireTime = Noon,
    };

    public static RpcException SendLimit(string limit, long seconds)
    {
        var info = new ErrorInfo { Domain = "mfa.v1", Reason = "SEND_LIMIT", Metadata = { ["limit"] = limit } };
        var wait = new RetryInfo { RetryDelay = new Duration { Seconds = seconds } };
        return new Google.Rpc.Status
        {
            Code = (int)StatusCode.ResourceExhausted,
            Message = "Words of the server.",
            Details = { Any.Pack(info), Any.Pack(wait) },
        }.ToRpcException();
    }

    /// <summary>An error as the contract has them: status, reason, and details that help.</summary>
    public static RpcException Error(StatusCode status, ErrorReason reason, params IMessage[] details)
    {
        var name = ErrorsReflection.Descriptor.EnumTypes.Single().FindValueByNumber((int)reason).Name["ERROR_REASON_".Length..];
        var info = new ErrorInfo { Domain = "mfa.v1", Reason = name };
        return new Google.Rpc.Status
        {
            Code = (int)status,
            Message = "Words of the server.",
            Details = { details.Prepend(info).Select(Any.Pack) },
        }.ToRpcException();
    }

    public void FailEverythingWith(RpcException error)
    {
        OnEnable = _ => throw error;
        OnVerify = _ => throw error;
        OnGetStatus = _ => throw error;
        OnRegenerate = _ => throw error;
        OnGetToken = _ => throw error;
        OnDisable = _ => throw error;
        OnConfirmDisable = _ => throw error;
    }

    public IReadOnlyList<VerifyRequest> Verifies => [.. Requests.OfType<VerifyRequest>()];
    public IReadOnlyList<GetTokenRequest> GetTokens => [.. Requests.OfType<GetTokenRequest>()];
    public IReadOnlyList<DisableRequest> Disables => [.. Requests.OfType<DisableRequest>()];
    public IReadOnlyList<ConfirmDisableRequest> Confirms => [.. Requests.OfType<ConfirmDisableRequest>()];

    public override Task<EnableResponse> Enable(EnableRequest request, ServerCallContext context) => Answer(request, OnEnable, context);

    public override Task<VerifyResponse> Verify(VerifyRequest request, ServerCallContext context) => Answer(request, OnVerify, context);

    public override Task<GetStatusResponse> GetStatus(GetStatusRequest request, ServerCallContext context) =>
        Answer(request, OnGetStatus, context);

    public override Task<RegenerateRecoveryCodesResponse> RegenerateRecoveryCodes(
        RegenerateRecoveryCodesRequest request, ServerCallContext context) => Answer(request, OnRegenerate, context);

    public override Task<GetTokenResponse> GetToken(GetTokenRequest request, ServerCallContext context) =>
        Answer(request, OnGetToken, context);

    public override Task<DisableResponse> Disable(DisableRequest request, ServerCallContext context) =>
        Answer(request, OnDisable, context);

    public override Task<ConfirmDisableResponse> ConfirmDisable(
        ConfirmDisableRequest request, ServerCallContext context) => Answer(request, OnConfirmDisable, context);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task<TReply> Answer<TRequest, TReply>(TRequest request, Func<TRequest, TReply> answer, ServerCallContext context)
        where TRequest : IMessage
    {
        Requests.Enqueue(request);
        Authorizations.Enqueue(context.RequestHeaders.GetValue("authorization"));
        ShownCertificates.Enqueue(context.GetHttpContext().Connection.ClientCertificate?.Subject);
        TimeGiven.Enqueue(context.Deadline - TimeProvider.System.GetUtcNow().UtcDateTime);
        return Task.FromResult(answer(request));
    }
}
