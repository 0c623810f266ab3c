using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Mfa.V1;

namespace Mfa.Client;

// The documents of `--output json`: the replies of the contract under the proto's field names. Every field is always
// there; what is unset is null. Written out rather than left to protobuf's own formatter, which needs reflection.
internal sealed record EnableJson(
    string EnrollmentId, string Method, string Account, string Issuer, string Secret, string OtpauthUri,
    string QrCodeSvg, IReadOnlyList<string> RecoveryCodes, string Destination, string? ExpireTime);

internal sealed record VerifyJson(
    string Verdict, string Factor, int AttemptsRemaining, string? RetryTime, int RecoveryCodesRemaining);

internal sealed record PendingJson(string EnrollmentId, string Method, string? ExpireTime);

internal sealed record DeliveryJson(string State, string? UpdateTime, int Attempts);

internal sealed record StatusJson(
    string State, string Method, string? EnableTime, string? DisableTime, string Destination,
    int RecoveryCodesRemaining, string? LockedUntil, PendingJson? Pending, DeliveryJson? Delivery, bool RecoveryCodesStale);

internal sealed record GetTokenJson(string Method, string Destination, string? ExpireTime, string? ResendTime);

// These two also say in words what the tables of rm say.
internal sealed record DisableJson(string Message, string Type, string Destination, string? ExpireTime);

internal sealed record ConfirmDisableJson(string Message, string Type, string? DisableTime);

internal sealed record RecoveryCodesJson(IReadOnlyList<string> RecoveryCodes);

internal sealed record ErrorJson(ErrorBody Error);

internal sealed record ErrorBody(
    string Reason, string Status, string Message, IReadOnlyList<FieldFault> Fields, long? RetryAfterSeconds);

[JsonSerializable(typeof(EnableJson))]
[JsonSerializable(typeof(VerifyJson))]
[JsonSerializable(typeof(StatusJson))]
[JsonSerializable(typeof(GetTokenJson))]
[JsonSerializable(typeof(DisableJson))]
[JsonSerializable(typeof(ConfirmDisableJson))]
[JsonSerializable(typeof(RecoveryCodesJson))]
[JsonSerializable(typeof(ErrorJson))]
internal sealed partial class JsonReplies : JsonSerializerContext
{
    private static readonly JsonReplies Readable = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    public static string Write(EnableResponse reply) => Write(
        new EnableJson(
            reply.EnrollmentId, ContractNames.Of(reply.Method), reply.Account, reply.Issuer, reply.Secret,
            reply.OtpauthUri, reply.QrCodeSvg, reply.RecoveryCodes, reply.Destination, Times.Rfc3339(reply.ExpireTime)),
        Readable.EnableJson);

    public static string Write(VerifyResponse reply) => Write(
        new VerifyJson(
            ContractNames.Of(reply.Verdict), ContractNames.Of(reply.Factor), reply.AttemptsRemaining,
            Times.Rfc3339(reply.RetryTime), reply.RecoveryCodesRemaining),
        Readable.VerifyJson);

    public static string Write(GetStatusResponse reply) => Write(
        new StatusJson(
            ContractNames.Of(reply.State), ContractNames.Of(reply.Method), Times.Rfc3339(reply.EnableTime),
            Times.Rfc3339(reply.DisableTime), reply.Destination, reply.RecoveryCodesRemaining,
            Times.Rfc3339(reply.LockedUntil), Pending(reply.Pending), Delivery(reply.Delivery), reply.RecoveryCodesStale),
        Readable.StatusJson);

    public static string Write(GetTokenResponse reply) => Write(
        new GetTokenJson(
            ContractNames.Of(reply.Method), reply.Destination, Times.Rfc3339(reply.ExpireTime),
            Times.Rfc3339(reply.ResendTime)),
        Readable.GetTokenJson);

    public static string Write(DisableResponse reply, string message, string type) => Write(
        new DisableJson(message, type, reply.Destination, Times.Rfc3339(reply.ExpireTime)), Readable.DisableJson);

    public static string Write(ConfirmDisableResponse reply, string message, string type) => Write(
        new ConfirmDisableJson(message, type, Times.Rfc3339(reply.DisableTime)), Readable.ConfirmDisableJson);

    public static string Write(RegenerateRecoveryCodesResponse reply) =>
        Write(new RecoveryCodesJson(reply.RecoveryCodes), Readable.RecoveryCodesJson);

    public static string Write(Failure failure) => Write(
        new ErrorJson(new ErrorBody(
            failure.Reason, failure.Status, failure.Message, failure.Fields,
            failure.RetryAfter is { } wait ? Failure.Seconds(wait) : null)),
        Readable.ErrorJson);

    private static PendingJson? Pending(PendingEnrollment? pending) => pending is null
        ? null
        : new(pending.EnrollmentId, ContractNames.Of(pending.Method), Times.Rfc3339(pending.ExpireTime));

    private static DeliveryJson? Delivery(Delivery? delivery) => delivery is null
        ? null
        : new(ContractNames.Of(delivery.State), Times.Rfc3339(delivery.UpdateTime), delivery.Attempts);

    /// <summary>Everything beyond ASCII leaves as an escape: it survives any locale, and nothing in it can act on a
    /// terminal. Outside of strings JSON is ASCII, so this cannot change the document.</summary>
    private static string Write<T>(T document, JsonTypeInfo<T> type)
    {
        var ascii = new StringBuilder();
        foreach (var c in JsonSerializer.Serialize(document, type))
        {
            if (c <= '~') ascii.Append(c);
            else ascii.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }
        return ascii.ToString();
    }
}
