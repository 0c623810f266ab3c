using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Mfa.Server.Callers.Quotas;
using Mfa.Server.Flows;
using Mfa.V1;

namespace Mfa.Server.Services;

/// <summary>
/// Errors as callers see them: a canonical code, a text that says what to do, and exactly one ErrorInfo. Details of what
/// broke stay in the log.
/// </summary>
internal static class Errors
{
    private const string Domain = "mfa.v1";

    /// <summary>When to come back after the store failed: time for a lock to be released or a disk to be cleared.</summary>
    private static readonly TimeSpan StoreRetry = TimeSpan.FromSeconds(2);

    public static RpcException Fields(IReadOnlyList<BadRequest.Types.FieldViolation> violations) => New(
        StatusCode.InvalidArgument,
        ErrorReason.InvalidField,
        string.Join("; ", violations.Select(v => $"{v.Field}: {v.Description}")),
        new BadRequest { FieldViolations = { violations } });

    public static RpcException Unauthenticated() => New(
        StatusCode.Unauthenticated,
        ErrorReason.Unauthenticated,
        "Send exactly one valid credential: `authorization: Bearer <api key or token>`, `authorization: Basic <name:password>`, or a client certificate.");

    public static RpcException CallerNotAllowed() => New(
        StatusCode.PermissionDenied, ErrorReason.CallerNotAllowed, "This caller may not do this. Check the key's scopes and the account.");

    public static RpcException CallerLimit(Limited limited)
    {
        var info = new ErrorInfo { Domain = Domain, Reason = NameOf(ErrorReason.CallerLimit), Metadata = { ["limit"] = limited.Limit } };
        var message = $"Too many calls ({limited.Limit}); the request was not read. Try again a little later.";
        return New(StatusCode.ResourceExhausted, info, message, [Retry(limited.Wait)]);
    }

    /// <summary>The parser does not tell which field it stumbled over.</summary>
    public static RpcException Unreadable() => New(
        StatusCode.InvalidArgument, ErrorReason.InvalidField, "The request cannot be read: it is cut short, or a text in it is not UTF-8.",
        new BadRequest { FieldViolations = { Form.Violation("request", "send a whole message whose texts are UTF-8") } });

    public static RpcException TooLarge() => New(
        StatusCode.ResourceExhausted, ErrorReason.MessageTooLarge, "The request is larger than 64 KiB, which no request needs to be.");

    public static RpcException UnknownRpc() => New(
        StatusCode.Unimplemented, ErrorReason.UnknownMethod, "This server has no such method. Is it older than the contract you use?");

    public static RpcException StoreUnavailable() => New(
        StatusCode.Unavailable,
        ErrorReason.StoreUnavailable,
        "The store is unavailable and no verdict was given. Try again, with the same request_id if there was one.",
        Retry(StoreRetry));

    public static RpcException Conflict() => New(
        StatusCode.Aborted, ErrorReason.Conflict, "The account was changed by others at the same time. Nothing was done: repeat the call.");

    public static RpcException Internal() => New(
        StatusCode.Internal, ErrorReason.Internal, "Something broke on the server; its log has the detail. Nothing was accepted.");

    /// <summary>Throws when the flow refused; otherwise hands on its answer.</summary>
    public static T OrThrow<T>(this Result<T> result, DateTimeOffset now)
    {
        if (result.Refusal is { } refusal) Throw(refusal, now);
        return result.Value ?? throw Internal(); // unreachable
    }

    [DoesNotReturn]
    private static void Throw(Refusal refusal, DateTimeOffset now) => throw (refusal.Kind switch
    {
        RefusalKind.RequestIdReused => New(StatusCode.InvalidArgument, ErrorReason.RequestIdReused,
            "This request_id was used for another request within the last 10 minutes. Use a new UUID."),
        RefusalKind.NotEnabled => New(StatusCode.FailedPrecondition, ErrorReason.NotEnabled,
            "The account has no second factor. Call Enable, then Verify with its enrollment_id."),
        RefusalKind.AlreadyEnabled => New(StatusCode.FailedPrecondition, ErrorReason.AlreadyEnabled,
            "The account has a second factor. Give a current code of it, or a recovery code, in the field code to replace it."),
        RefusalKind.EnrollmentNotFound => New(StatusCode.FailedPrecondition, ErrorReason.EnrollmentNotFound,
            "No such enrollment is pending: it is unknown, finished, superseded or expired. Call Enable again."),
        RefusalKind.CodeRefused => New(StatusCode.PermissionDenied, ErrorReason.CodeRefused,
            "The code was not accepted, and counted as a guess. Wait for the next code, or use a recovery code."),
        RefusalKind.CodeLength => Fields([Form.Violation("code",
            $"the codes of this account have {refusal.Digits} digits; give exactly these, or a recovery code")]),
        RefusalKind.Locked => Locked(refusal, now),
        RefusalKind.Conflict => Conflict(),
        RefusalKind.MethodSendsNoCode => New(StatusCode.FailedPrecondition, ErrorReason.MethodSendsNoCode,
            "An authenticator app computes its codes; there is none to send. Look at the app."),
        RefusalKind.NoEmail => New(StatusCode.FailedPrecondition, ErrorReason.NoEmail,
            "No e-mail address is on record for this account. Give one in Enable."),
        RefusalKind.TokenRefused => New(StatusCode.PermissionDenied, ErrorReason.TokenRefused,
            "The token was not accepted. Ask for a new one with Disable; it lives 15 minutes and works once."),
        RefusalKind.DestinationNotAllowed => New(StatusCode.PermissionDenied, ErrorReason.DestinationNotAllowed,
            "This server sends no SMS to that country. Use another phone or another method."),
        RefusalKind.SendLimit => SendLimit(refusal, now),
        RefusalKind.Unspecified => Internal(),
    });

    private static RpcException Locked(Refusal refusal, DateTimeOffset now) => refusal.RetryTime is { } until
        ? New(StatusCode.ResourceExhausted, ErrorReason.Locked,
            $"Too many wrong codes in a row. Codes are looked at again at {until.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}.", Retry(until - now))
        : New(StatusCode.ResourceExhausted, ErrorReason.Locked,
            "Too many wrong codes in a row: codes of this kind are blocked until the account is enrolled again. Use a recovery code.");

    private static RpcException SendLimit(Refusal refusal, DateTimeOffset now)
    {
        var info = new ErrorInfo { Domain = Domain, Reason = NameOf(ErrorReason.SendLimit), Metadata = { ["limit"] = refusal.Limit } };
        return New(StatusCode.ResourceExhausted, info,
            $"Too many messages ({refusal.Limit}); nothing was sent. The next one can be sent at {refusal.RetryTime:yyyy-MM-dd'T'HH:mm:ss'Z'}.",
            refusal.RetryTime is { } until ? [Retry(until - now)] : []);
    }

    private static RetryInfo Retry(TimeSpan wait) => new() { RetryDelay = Duration.FromTimeSpan(wait) };

    private static RpcException New(StatusCode code, ErrorReason reason, string message, params IMessage[] more) =>
        New(code, new ErrorInfo { Domain = Domain, Reason = NameOf(reason) }, message, more);

    private static RpcException New(StatusCode code, ErrorInfo info, string message, IMessage[] more)
    {
        var status = new Google.Rpc.Status { Code = (int)code, Message = message, Details = { Any.Pack(info) } };
        status.Details.Add(more.Select(Any.Pack));
        return status.ToRpcException();
    }

    /// <summary>The name in the contract, less the prefix that all values share.</summary>
    private static string NameOf(ErrorReason reason) =>
        ErrorsReflection.Descriptor.EnumTypes[0].FindValueByNumber((int)reason).Name["ERROR_REASON_".Length..];
}
