using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using Mfa.V1;

namespace Mfa.Polyglot;

/// <summary>The generated stub, with requests and replies in the contract's JSON form.</summary>
internal sealed class Stub
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly JsonFormatter Formatter =
        new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true).WithPreserveProtoFieldNames(true));

    private readonly CallInvoker _invoker;
    private readonly MfaService.MfaServiceClient _client;

    public Stub(JsonNode server)
    {
        _invoker = GrpcChannel.ForAddress((string)server["address"]!, new GrpcChannelOptions { HttpHandler = Handler((string?)server["ca"]) })
            .CreateCallInvoker();
        _client = new MfaService.MfaServiceClient(_invoker);
        Key = (string?)server["key"];
    }

    /// <summary>The credential of this server alone; null for those of the world.</summary>
    public string? Key { get; }

    public async Task<JsonNode> CallAsync(string rpc, JsonNode request, string credential)
    {
        var options = new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + Patience);
        if (credential.Length > 0) options = options.WithHeaders(new Metadata { { "authorization", credential } });
        var json = request.ToJsonString();
        IMessage reply = rpc switch
        {
            "Enable" => await _client.EnableAsync(JsonParser.Default.Parse<EnableRequest>(json), options),
            "Verify" => await _client.VerifyAsync(JsonParser.Default.Parse<VerifyRequest>(json), options),
            "GetToken" => await _client.GetTokenAsync(JsonParser.Default.Parse<GetTokenRequest>(json), options),
            "Disable" => await _client.DisableAsync(JsonParser.Default.Parse<DisableRequest>(json), options),
            "ConfirmDisable" => await _client.ConfirmDisableAsync(JsonParser.Default.Parse<ConfirmDisableRequest>(json), options),
            "GetStatus" => await _client.GetStatusAsync(JsonParser.Default.Parse<GetStatusRequest>(json), options),
            "RegenerateRecoveryCodes" => await _client.RegenerateRecoveryCodesAsync(JsonParser.Default.Parse<RegenerateRecoveryCodesRequest>(json), options),
            _ => await CallUnknownAsync(rpc, options),
        };
        return JsonNode.Parse(Formatter.Format(reply))!;
    }

    /// <summary>An error in the form that stories expect.</summary>
    public static JsonObject Read(RpcException error)
    {
        var status = error.GetRpcStatus();
        var info = status?.GetDetail<ErrorInfo>();
        var fields = status?.GetDetail<BadRequest>()?.FieldViolations.Select(v => v.Field) ?? [];
        var retry = status?.GetDetail<RetryInfo>()?.RetryDelay;
        return new JsonObject
        {
            ["status"] = NameOf(error.StatusCode),
            ["reason"] = info?.Reason ?? "",
            ["fields"] = new JsonArray([.. fields.Order(StringComparer.Ordinal).Select(field => JsonValue.Create(field))]),
            ["limit"] = info?.Metadata.GetValueOrDefault("limit") ?? "",
            ["retry"] = retry is null ? null : retry.Seconds + (retry.Nanos > 0 ? 1 : 0),
        };
    }

    private async Task<IMessage> CallUnknownAsync(string rpc, CallOptions options)
    {
        var raw = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);
        await _invoker.AsyncUnaryCall(new Method<byte[], byte[]>(MethodType.Unary, MfaService.Descriptor.FullName, rpc, raw, raw), host: null, options, []);
        throw new InvalidOperationException($"{rpc} exists");
    }

    private static SocketsHttpHandler Handler(string? ca)
    {
        var handler = new SocketsHttpHandler();
        if (ca is null) return handler;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(ca);
        handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        return handler;
    }

    /// <summary>As the other languages write it: FAILED_PRECONDITION.</summary>
    private static string NameOf(StatusCode code) =>
        string.Concat(code.ToString().Select((c, i) => char.IsAsciiLetterUpper(c) && i > 0 ? $"_{c}" : char.ToUpperInvariant(c).ToString()));
}
