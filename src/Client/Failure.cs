using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;

namespace Mfa.Client;

internal sealed record FieldFault(string Field, string Message);

/// <summary>Why a verb did not do what it was asked. <paramref name="Reason"/> is the server's reason, or the status
/// name when it gave none, or one of ours when it was not reached; scripts branch on it, people read the message.</summary>
internal sealed record Failure(
    int ExitCode, string Reason, string Status, string Message, IReadOnlyList<FieldFault> Fields, TimeSpan? RetryAfter)
{
    public static Failure Usage(string message) =>
        new(Client.ExitCode.Usage, "USAGE", Name(StatusCode.InvalidArgument), message, [], null);

    /// <summary>An OK status around something that cannot be relied on.</summary>
    public static Failure BadReply(string message) =>
        new(Client.ExitCode.Refused, "BAD_REPLY", Name(StatusCode.Unknown), message, [], null);

    public static Failure From(RpcException error, Uri endpoint, Link link, Credential credential)
    {
        if (link.Explain(error) is { } unreached)
            return new(Client.ExitCode.Refused, unreached.Reason, Name(error.StatusCode), unreached.Message, [], null);
        var details = DetailsOf(error);
        var info = details?.GetDetail<ErrorInfo>() is { Domain: "mfa.v1", Reason.Length: > 0 } ours ? ours : null;
        var reason = info?.Reason ?? Name(error.StatusCode);
        var faults = details?.GetDetail<BadRequest>()?.FieldViolations ?? [];
        var retryAfter = details?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan();
        var message = reason switch
        {
            "UNAUTHENTICATED" => credential.Refused,
            "CALLER_NOT_ALLOWED" => credential.NotAllowed,
            "NOT_ENABLED" => "No second factor is enabled. Enable one with: mfa mk AUTHENTICATOR",
            "ALREADY_ENABLED" => "A second factor is enabled already: a current code of it is needed to replace it.",
            "ENROLLMENT_NOT_FOUND" =>
                "This enrolment is unknown, finished, replaced or expired. Start again with: mfa mk",
            "CODE_REFUSED" => "The current code was not accepted. It counted as a guess.",
            "LOCKED" when retryAfter is null =>
                "Blocked after too many wrong codes, until the account is enrolled again with a recovery code.",
            "LOCKED" => "Locked after too many wrong codes.",
            "SEND_LIMIT" => SendLimit(info!.Metadata.GetValueOrDefault("limit", "")),
            "METHOD_SENDS_NO_CODE" =>
                "An authenticator app computes these codes: there is none to send. Look at the app.",
            "DESTINATION_NOT_ALLOWED" =>
                "The server sends no SMS to that country. Use another phone or another method.",
            "NO_EMAIL" =>
                "No e-mail address is on record that a token could be sent to. Enrol again with one: mfa mk --email",
            "TOKEN_REFUSED" =>
                "The token was not accepted: it is wrong, used, expired or voided by a newer one. "
                + "Ask for a new one with: mfa rm",
            "UNKNOWN_METHOD" or "UNIMPLEMENTED" =>
                "The server does not know this call: the server is older than this client.",
            "MESSAGE_TOO_LARGE" =>
                "What was given is larger than the server reads. Sending it again does not help: shorten it.",
            "INVALID_FIELD" => "Not accepted as given:",
            "STORE_UNAVAILABLE" => "The server cannot reach its store; nothing was accepted.",
            "DEADLINE_EXCEEDED" => $"No answer from {Shown(endpoint)} in time; nothing was accepted.",
            _ when error.Status.DebugException is HttpRequestException =>
                $"Cannot talk to {Shown(endpoint)} : is it the server's gRPC address?",
            _ => $"The server refused: {(error.Status.Detail.Length > 0 ? error.Status.Detail : reason)}",
        };
        return new(
            Client.ExitCode.Refused, reason, Name(error.StatusCode), message,
            [.. faults.Select(fault => new FieldFault(fault.Field, fault.Description))], retryAfter);
    }

    /// <summary>The message and what belongs to it, for a person.</summary>
    public IEnumerable<string> Lines()
    {
        yield return RetryAfter is { } wait ? $"{Message} Try again in {Words(wait)}." : Message;
        foreach (var fault in Fields) yield return $"  {fault.Field}: {fault.Message}";
    }

    /// <summary>Rounded up: a caller that waits as told is never early.</summary>
    public static long Seconds(TimeSpan wait) => Math.Max(0, (long)Math.Ceiling(wait.TotalSeconds));

    /// <summary>Which limit: whoever is told can only wait, but an operator who is asked can raise the right one.
    /// </summary>
    private static string SendLimit(string name) => name switch
    {
        "account_interval" => "Nothing was sent: the last message to this account is too recent.",
        "account_hour" => "Nothing was sent: this account has had all its messages of this hour.",
        "destination_day" => "Nothing was sent: this address or phone has had all its messages of today.",
        "caller_day" => "Nothing was sent: this caller has had all its messages of today.",
        "server_day" => "Nothing was sent: the server has sent all it may today, or sending is switched off.",
        _ => $"Nothing was sent: too many messages ({name}).",
    };

    private static string Words(TimeSpan wait) => Seconds(wait) switch
    {
        < 60 and var s => $"{s} s",
        < 3600 and var s => $"{s / 60} min {s % 60} s",
        var s => $"{s / 3600} h {s % 3600 / 60} min",
    };

    private static Google.Rpc.Status? DetailsOf(RpcException error)
    {
        try
        {
            return error.GetRpcStatus();
        }
        catch (InvalidProtocolBufferException)
        {
            return null; // details that do not parse explain nothing; the status still refuses
        }
    }

    private static string Shown(Uri endpoint) => endpoint.GetLeftPart(UriPartial.Authority);

    private static string Name(StatusCode code) => ContractNames.Of((Code)(int)code);
}

internal sealed class FailedException(Failure failure) : Exception(failure.Message)
{
    public Failure Failure { get; } = failure;

    public static FailedException Usage(string message) => new(Failure.Usage(message));

    public static FailedException BadReply(string message) => new(Failure.BadReply(message));
}
