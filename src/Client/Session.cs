using Grpc.Core;
using Grpc.Net.Client;
using Mfa.V1;

namespace Mfa.Client;

/// <summary>One run of a verb against one server with one credential. Every call has a deadline; every failed one
/// arrives as a <see cref="FailedException"/>.</summary>
internal sealed class Session : IDisposable
{
    // Sent once more after each of these waits. The rpc's own deadline still bounds every one of them.
    private static readonly TimeSpan[] WaitsBeforeRepeating =
        [TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(600)];

    private readonly Uri _endpoint;
    private readonly Link _link;
    private readonly Credential _credential;
    private readonly TimeSpan _timeout;
    private readonly GrpcChannel _channel;
    private readonly MfaService.MfaServiceClient _service;

    private Session(Settings settings, Terminal terminal, Uri endpoint, ServerCheck server, Credential credential)
    {
        Terminal = terminal;
        Json = settings.Json;
        Account = settings.Account ?? "";
        _endpoint = endpoint;
        _link = new Link(endpoint, server, credential.Certificate);
        _credential = credential;
        _timeout = settings.Timeout;
        _channel = GrpcChannel.ForAddress(endpoint, new GrpcChannelOptions
        {
            HttpHandler = _link.NewHandler(),
            DisposeHttpClient = true,
            // No retry or hedging policy may come from anywhere: what is repeated is decided in RepeatAsync.
            DisableResolverServiceConfig = true,
        });
        _service = new MfaService.MfaServiceClient(_channel);
    }

    public Terminal Terminal { get; }
    public bool Json { get; }

    /// <summary>The account to act for; empty for a person's own.</summary>
    public string Account { get; }

    /// <summary>A person with a name and a password; otherwise a service with a key.</summary>
    public bool IsPerson => _credential.Username is not null;

    /// <summary>What to call the owner of the account in a file name.</summary>
    public string Owner => Account.Length > 0 ? Account : _credential.Username ?? "";

    /// <summary>Asks for what is missing; a person who is <paramref name="enrolling"/> is asked for the endpoint too,
    /// and for the password twice.</summary>
    public static Session Open(Settings settings, Terminal terminal, bool enrolling = false)
    {
        var given = settings.Endpoint ?? Settings.Environment("MFA_ENDPOINT");
        if (given is null && enrolling && terminal.Interactive)
            given = terminal.Ask($"Endpoint [{Endpoint.Default}]:");
        var endpoint = Endpoint.Parse(string.IsNullOrEmpty(given) ? Endpoint.Default : given);
        var server = ServerCheck.For(settings.Tls, endpoint);
        if (settings.Tls.SkipVerify)
            terminal.Tell($"Warning: nobody checks who {endpoint.Authority} is. Whoever is on the way can read and change everything.");
        var credential = Credential.Resolve(settings, terminal, endpoint, confirmPassword: enrolling);
        return new Session(settings, terminal, endpoint, server, credential);
    }

    public Task<EnableResponse> EnableAsync(EnableRequest request) =>
        CallAsync(options => _service.EnableAsync(request, options));

    public Task<GetStatusResponse> GetStatusAsync(GetStatusRequest request) =>
        CallAsync(options => _service.GetStatusAsync(request, options));

    public Task<RegenerateRecoveryCodesResponse> RegenerateRecoveryCodesAsync(RegenerateRecoveryCodesRequest request) =>
        CallAsync(options => _service.RegenerateRecoveryCodesAsync(request, options));

    public Task<VerifyResponse> VerifyAsync(string code, string enrollmentId, string requestId)
    {
        var request = new VerifyRequest
        {
            Account = Account,
            Code = code,
            EnrollmentId = enrollmentId,
            RequestId = requestId,
        };
        return RepeatAsync(options => _service.VerifyAsync(request, options));
    }

    public Task<GetTokenResponse> GetTokenAsync(string enrollmentId, string requestId)
    {
        var request = new GetTokenRequest { Account = Account, EnrollmentId = enrollmentId, RequestId = requestId };
        return RepeatAsync(options => _service.GetTokenAsync(request, options));
    }

    public Task<DisableResponse> DisableAsync()
    {
        var request = new DisableRequest { Account = Account, RequestId = NewRequestId() };
        return RepeatAsync(options => _service.DisableAsync(request, options));
    }

    public Task<ConfirmDisableResponse> ConfirmDisableAsync(string token)
    {
        var request = new ConfirmDisableRequest { Account = Account, Token = token, RequestId = NewRequestId() };
        return RepeatAsync(options => _service.ConfirmDisableAsync(request, options));
    }

    public static string NewRequestId() => Guid.NewGuid().ToString();

    public void Dispose() => _channel.Dispose();

    /// <summary>Only for requests that carry a <c>request_id</c>. When the connection broke, nobody here knows whether
    /// the call took effect; the same request with the same id gets the first answer again if it did, and is decided
    /// now if it did not, so no guess, code, message or token is spent twice. Without that id a repeated right code
    /// would come back as rejected.</summary>
    private async Task<T> RepeatAsync<T>(Func<CallOptions, AsyncUnaryCall<T>> call)
    {
        foreach (var wait in WaitsBeforeRepeating)
        {
            try
            {
                return await CallAsync(call);
            }
            catch (FailedException e) when (e.Failure is { Status: "UNAVAILABLE", Reason: not ("NOT_TRUSTED" or "CLIENT_CERTIFICATE") })
            {
                await Task.Delay(wait);
            }
        }
        return await CallAsync(call);
    }

    private async Task<T> CallAsync<T>(Func<CallOptions, AsyncUnaryCall<T>> call)
    {
        var headers = new Metadata();
        if (_credential.Authorization is { } authorization) headers.Add("authorization", authorization);
        var deadline = TimeProvider.System.GetUtcNow().UtcDateTime + _timeout;
        try
        {
            using var pending = call(new CallOptions(headers, deadline));
            return await pending;
        }
        catch (RpcException e)
        {
            throw new FailedException(Failure.From(e, _endpoint, _link, _credential));
        }
    }
}
