using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Mfa.V1;

namespace Shop;

internal sealed class SecondFactor : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly MfaService.MfaServiceClient _client;
    private readonly Metadata _key;

    public SecondFactor(string endpoint, string apiKey, string? caFile)
    {
        var handler = new SocketsHttpHandler();
        if (!string.IsNullOrEmpty(caFile)) handler.SslOptions = Trusting(caFile);
        _channel = GrpcChannel.ForAddress(endpoint, new GrpcChannelOptions { HttpHandler = handler, ServiceConfig = SafeRetries });
        _client = new MfaService.MfaServiceClient(_channel);
        _key = new Metadata { { "authorization", $"Bearer {apiKey}" } };
    }

    private CallOptions Options => new(_key, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(20));

    /// <summary>What ../retry.json says, which .NET does not read. Safe because each of these calls carries a request_id.</summary>
    private static ServiceConfig SafeRetries
    {
        get
        {
            var config = new MethodConfig
            {
                RetryPolicy = new RetryPolicy
                {
                    MaxAttempts = 5,
                    InitialBackoff = TimeSpan.FromSeconds(0.2),
                    MaxBackoff = TimeSpan.FromSeconds(3),
                    BackoffMultiplier = 2,
                    RetryableStatusCodes = { StatusCode.Unavailable },
                },
            };
            foreach (var method in new[] { "Verify", "GetToken", "Disable", "ConfirmDisable" })
                config.Names.Add(new MethodName { Service = "mfa.v1.MfaService", Method = method });
            return new ServiceConfig { MethodConfigs = { config } };
        }
    }

    public async Task<EnableResponse> EnrolAsync(string account, string email) => await _client.EnableAsync(
        new EnableRequest { Account = account, Method = email.Length > 0 ? Method.Email : Method.Authenticator, Email = email }, Options);

    public async Task<VerifyResponse> VerifyAsync(string account, string code, string enrollmentId) => await _client.VerifyAsync(
        new VerifyRequest { Account = account, Code = code, EnrollmentId = enrollmentId, RequestId = Guid.NewGuid().ToString() }, Options);

    public async Task<GetTokenResponse> SendAsync(string account) => await _client.GetTokenAsync(
        new GetTokenRequest { Account = account, RequestId = Guid.NewGuid().ToString() }, Options);

    /// <summary>What went wrong, in one line: the reason to branch on, the server's words, and when to come back.</summary>
    public static string Explain(RpcException error)
    {
        var status = error.GetRpcStatus();
        if (status?.GetDetail<ErrorInfo>() is { } info)
        {
            var retry = status.GetDetail<RetryInfo>()?.RetryDelay;
            return $"{info.Reason}: {status.Message}{(retry is null ? "" : $" Come back in {retry.Seconds} s.")}";
        }

        // No word from the server: the call never got there.
        for (Exception? why = error.Status.DebugException; why is not null; why = why.InnerException)
        {
            if (why is AuthenticationException) return $"NOT_TRUSTED: the server's certificate was not accepted. {why.Message}";
        }

        return $"CANNOT_REACH: {error.Status.Detail}";
    }

    public void Dispose() => _channel.Dispose();

    private static SslClientAuthenticationOptions Trusting(string caFile)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(caFile);
        return new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
    }
}
