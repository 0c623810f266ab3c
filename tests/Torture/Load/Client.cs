using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Mfa.Torture.History;
using Mfa.V1;

namespace Mfa.Torture.Load;

/// <summary>Sends calls and writes down each with its answer.</summary>
internal sealed class Client(ITarget target, HistoryFile history)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static long _calls;

    public static long Calls => Interlocked.Read(ref _calls);

    public async Task<(Answer Answer, EnableResponse? Reply, long Id)> EnableAsync(Owner owner, Submitted? what, string text)
    {
        EnableResponse? told = null;
        var request = new EnableRequest
        {
            Account = owner.Account, Method = owner.Sends ? V1.Method.Email : V1.Method.Authenticator, Email = owner.Email, Code = text,
        };
        var call = new Call(0, owner.Account, Rpc.Enable, 0, 0, 0, Answer.Unknown, what, Sends: owner.Sends);
        var done = await SendAsync(call, (client, options) => client.EnableAsync(request, options), reply =>
        {
            told = reply;
            return new Answer(Outcome.Ok) { Enrollment = reply.EnrollmentId };
        }, owner: null);
        return (done.Answer, told, done.Id);
    }

    public Task<Call> VerifyAsync(
        Owner owner, Submitted what, string text, string enrollment = "", string requestId = "", CancellationToken hangUp = default)
    {
        var request = new VerifyRequest { Account = owner.Account, Code = text, EnrollmentId = enrollment, RequestId = requestId };
        var call = new Call(0, owner.Account, Rpc.Verify, 0, 0, 0, Answer.Unknown, what, enrollment, requestId);
        return SendAsync(call, (client, options) => client.VerifyAsync(request, options), reply => new Answer(Outcome.Ok)
        {
            Verdict = reply.Verdict,
            Attempts = reply.AttemptsRemaining,
            RecoveryCodes = reply.RecoveryCodesRemaining,
            LockedUntil = Milliseconds(reply.RetryTime),
        }, owner, hangUp);
    }

    public Task<Call> GetTokenAsync(Owner owner, string requestId)
    {
        var request = new GetTokenRequest { Account = owner.Account, RequestId = requestId };
        var call = new Call(0, owner.Account, Rpc.GetToken, 0, 0, 0, Answer.Unknown, RequestId: requestId);
        return SendAsync(call, (client, options) => client.GetTokenAsync(request, options), _ => new Answer(Outcome.Ok), owner);
    }

    public Task<Call> DisableAsync(Owner owner, string requestId)
    {
        var request = new DisableRequest { Account = owner.Account, RequestId = requestId };
        var call = new Call(0, owner.Account, Rpc.Disable, 0, 0, 0, Answer.Unknown, RequestId: requestId);
        return SendAsync(call, (client, options) => client.DisableAsync(request, options), _ => new Answer(Outcome.Ok), owner);
    }

    public Task<Call> ConfirmDisableAsync(Owner owner, Submitted token, string requestId = "")
    {
        var request = new ConfirmDisableRequest { Account = owner.Account, Token = owner.TextOf(token), RequestId = requestId };
        var call = new Call(0, owner.Account, Rpc.ConfirmDisable, 0, 0, 0, Answer.Unknown, token, RequestId: requestId);
        return SendAsync(call, (client, options) => client.ConfirmDisableAsync(request, options), _ => new Answer(Outcome.Ok), owner);
    }

    public Task<Call> GetStatusAsync(Owner owner)
    {
        var request = new GetStatusRequest { Account = owner.Account };
        var call = new Call(0, owner.Account, Rpc.GetStatus, 0, 0, 0, Answer.Unknown);
        return SendAsync(call, (client, options) => client.GetStatusAsync(request, options), reply => new Answer(Outcome.Ok)
        {
            State = reply.State,
            RecoveryCodes = reply.RecoveryCodesRemaining,
            LockedUntil = Milliseconds(reply.LockedUntil),
            Enrollment = reply.Pending?.EnrollmentId ?? "",
        }, owner);
    }

    public async Task<(Call Call, RegenerateRecoveryCodesResponse? Reply)> RegenerateAsync(Owner owner, Submitted what, string text)
    {
        RegenerateRecoveryCodesResponse? told = null;
        var request = new RegenerateRecoveryCodesRequest { Account = owner.Account, Code = text };
        var call = new Call(0, owner.Account, Rpc.RegenerateRecoveryCodes, 0, 0, 0, Answer.Unknown, what);
        var done = await SendAsync(call, (client, options) => client.RegenerateRecoveryCodesAsync(request, options), reply =>
        {
            told = reply;
            return new Answer(Outcome.Ok);
        }, owner: null);
        return (done, told);
    }

    /// <param name="owner">Whose secrets the reply must not show again; null for replies that show new ones.</param>
    private async Task<Call> SendAsync<T>(
        Call call, Func<MfaService.MfaServiceClient, CallOptions, AsyncUnaryCall<T>> send, Func<T, Answer> read, Owner? owner,
        CancellationToken hangUp = default) where T : IMessage
    {
        var (server, client, key) = await target.ConnectedAsync();
        var options = new CallOptions(key, TimeProvider.System.GetUtcNow().UtcDateTime + Patience, hangUp);
        call = call with { Id = Interlocked.Increment(ref _calls), Server = server, Start = Now() };
        Answer answer;
        try
        {
            var reply = await send(client, options);
            answer = read(reply) with { ShowsSecret = owner?.Shows(JsonFormatter.Default.Format(reply)) ?? false };
        }
        catch (RpcException error)
        {
            answer = Read(error);
        }

        call = call with { End = Now(), Answer = answer };
        if (call.Rpc != Rpc.GetStatus || answer.Outcome == Outcome.Ok) history.Add(new Line(call)); // reading has no effect to look for
        if (answer.Outcome is Outcome.Unknown or Outcome.Unavailable && !hangUp.IsCancellationRequested) await target.LeftAsync(server, answer.Outcome);
        return call;
    }

    /// <summary>An error counts as told only when the server itself told it, with its reason.</summary>
    private static Answer Read(RpcException error)
    {
        var reason = error.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason;
        return reason switch
        {
            null => Answer.Unknown,
            "STORE_UNAVAILABLE" or "INTERNAL" => new Answer(Outcome.Unavailable) { Reason = reason },
            _ => Answer.Refused(reason),
        };
    }

    private static long? Milliseconds(Timestamp? time) => time?.ToDateTimeOffset().ToUnixTimeMilliseconds();

    private static long Now() => Clock.Microseconds();
}
