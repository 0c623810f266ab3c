using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Mfa.V1;

namespace Mfa.EndToEnd.Calls;

/// <summary>Someone who calls the service: one connection, and one credential or none.</summary>
internal sealed class Caller : IDisposable
{
    /// <summary>Tests must not depend on speed; only a call that hangs gets here.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly Marshaller<byte[]> Raw = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);

    private readonly GrpcChannel _channel;
    private readonly CallInvoker _invoker;
    private readonly MfaService.MfaServiceClient _service;
    private readonly Metadata _metadata = [];
    private readonly Secrets _secrets;

    /// <param name="authorization">None, one or several whole values, scheme first.</param>
    /// <param name="secrets">Learns what the replies tell once.</param>
    /// <param name="tls">For an https address: whom to trust, and what to show.</param>
    public Caller(Uri grpc, IEnumerable<string> authorization, Secrets secrets, SocketsHttpHandler? tls = null)
    {
        _channel = GrpcChannel.ForAddress(grpc, new GrpcChannelOptions { HttpHandler = tls, DisposeHttpClient = true });
        _invoker = _channel.CreateCallInvoker();
        _service = new MfaService.MfaServiceClient(_invoker);
        _secrets = secrets;
        foreach (var value in authorization) _metadata.Add("authorization", value);
    }

    private CallOptions Options => new(_metadata, TimeProvider.System.GetUtcNow().UtcDateTime + Patience, TestContext.Current.CancellationToken);

    /// <summary>Sends this header along from now on.</summary>
    public Caller With(string header, string value)
    {
        _metadata.Add(header, value);
        return this;
    }

    public static string Basic(string name, string password) =>
        $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}"))}";

    public Task<EnableResponse> EnableAsync(string account, string code = "") =>
        EnableAsync(new EnableRequest { Account = account, Method = Method.Authenticator, Code = code });

    public async Task<EnableResponse> EnableAsync(EnableRequest request)
    {
        var reply = await _service.EnableAsync(request, Options);
        _secrets.Add(reply.Secret, reply.OtpauthUri);
        _secrets.Add(reply.RecoveryCodes);
        return reply;
    }

    public Task<VerifyResponse> VerifyAsync(string account, string code, string enrollmentId = "", string requestId = "") =>
        VerifyAsync(new VerifyRequest { Account = account, Code = code, EnrollmentId = enrollmentId, RequestId = requestId });

    public async Task<VerifyResponse> VerifyAsync(VerifyRequest request) => await _service.VerifyAsync(request, Options);

    /// <summary>Gives up on the answer after so long.</summary>
    public async Task<VerifyResponse> VerifyAsync(VerifyRequest request, TimeSpan deadline) =>
        await _service.VerifyAsync(request, Options.WithDeadline(TimeProvider.System.GetUtcNow().UtcDateTime + deadline));

    /// <summary>Sends the request and resets the stream whenever <paramref name="hangUp"/> says so.</summary>
    public async Task<VerifyResponse> VerifyUntilAsync(VerifyRequest request, CancellationToken hangUp) =>
        await _service.VerifyAsync(request, Options.WithCancellationToken(hangUp));

    public async Task<GetStatusResponse> GetStatusAsync(string account) =>
        await _service.GetStatusAsync(new GetStatusRequest { Account = account }, Options);

    public async Task<string[]> RegenerateRecoveryCodesAsync(string account, string code)
    {
        var request = new RegenerateRecoveryCodesRequest { Account = account, Code = code };
        var reply = await _service.RegenerateRecoveryCodesAsync(request, Options);
        _secrets.Add(reply.RecoveryCodes);
        return [.. reply.RecoveryCodes];
    }

    /// <summary>A call that the server answers as long as it is open. It ends when the connection does.</summary>
    /// <returns>Once the first answer has come: the end of the call.</returns>
    public async Task<Task> WatchHealthAsync()
    {
        var watch = new Method<byte[], byte[]>(MethodType.ServerStreaming, "grpc.health.v1.Health", "Watch", Raw, Raw);
        var unlimited = new CallOptions(_metadata, cancellationToken: TestContext.Current.CancellationToken);
        var answers = _invoker.AsyncServerStreamingCall(watch, host: null, unlimited, []).ResponseStream;
        Assert.True(await answers.MoveNext(TestContext.Current.CancellationToken));
        return ReadToEndAsync();

        async Task ReadToEndAsync()
        {
            while (await answers.MoveNext(TestContext.Current.CancellationToken))
            {
                // What it tells does not matter, only that it goes on.
            }
        }
    }

    /// <summary>The shortest call there is.</summary>
    public Task PingAsync() => SendAsync("grpc.health.v1.Health", "Check", []);

    /// <summary>Sends bytes as they are to any method, also to one that does not exist.</summary>
    public async Task<byte[]> SendAsync(string service, string method, byte[] message)
    {
        var rpc = new Method<byte[], byte[]>(MethodType.Unary, service, method, Raw, Raw);
        return await _invoker.AsyncUnaryCall(rpc, host: null, Options, message);
    }

    /// <summary>Sends bytes that no generated message writes.</summary>
    public Task<byte[]> SendAsync(string method, byte[] message) => SendAsync("mfa.v1.MfaService", method, message);

    public Task<byte[]> SendAsync(string method, IMessage message) => SendAsync(method, message.ToByteArray());

    public void Dispose() => _channel.Dispose();
}
