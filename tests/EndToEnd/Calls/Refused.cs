using Google.Rpc;
using Grpc.Core;
using Mfa.V1;

namespace Mfa.EndToEnd.Calls;

/// <summary>Asserts that a call ends in an error, and in the shape that the contract promises for every one.</summary>
internal static class Refused
{
    /// <returns>The error, for what else it must tell.</returns>
    public static async Task<Google.Rpc.Status> AsAsync(StatusCode code, ErrorReason reason, Func<Task> call)
    {
        var status = Read(await Assert.ThrowsAsync<RpcException>(call));
        Assert.Equal(code, (StatusCode)status.Code);
        Assert.Equal(NameOf(reason), status.GetDetail<ErrorInfo>()!.Reason);
        return status;
    }

    /// <summary>INVALID_FIELD, which names exactly these fields, each with what would be accepted.</summary>
    public static async Task ForFieldsAsync(string[] fields, Func<Task> call)
    {
        var status = await AsAsync(StatusCode.InvalidArgument, ErrorReason.InvalidField, call);
        var violations = status.GetDetail<BadRequest>()!.FieldViolations;
        Assert.Equal(fields.Order(StringComparer.Ordinal), violations.Select(v => v.Field).Order(StringComparer.Ordinal));
        Assert.All(violations, v => Assert.True(v.Description.Length > 10, $"no remedy for {v.Field}"));
    }

    /// <summary>Whatever the reason.</summary>
    public static async Task InShapeAsync(Func<Task> call) => Read(await Assert.ThrowsAsync<RpcException>(call));

    public static Task ForFieldAsync(string field, Func<Task> call) => ForFieldsAsync([field], call);

    public static Task AsUnauthenticatedAsync(Func<Task> call) => AsAsync(StatusCode.Unauthenticated, ErrorReason.Unauthenticated, call);

    public static Task AsNotAllowedAsync(Func<Task> call) => AsAsync(StatusCode.PermissionDenied, ErrorReason.CallerNotAllowed, call);

    public static Task AsNotEnabledAsync(Func<Task> call) => AsAsync(StatusCode.FailedPrecondition, ErrorReason.NotEnabled, call);

    public static Task AsEnrollmentNotFoundAsync(Func<Task> call) =>
        AsAsync(StatusCode.FailedPrecondition, ErrorReason.EnrollmentNotFound, call);

    public static Task ForCodeAsync(Func<Task> call) => AsAsync(StatusCode.PermissionDenied, ErrorReason.CodeRefused, call);

    /// <summary>Every error has exactly one ErrorInfo of this contract, and a text that tells nothing about the inside.</summary>
    private static Google.Rpc.Status Read(RpcException error)
    {
        var status = error.GetRpcStatus();
        Assert.True(status is not null, $"{error.StatusCode} without details: {error.Status.Detail}");
        var info = Assert.Single(status.Details, detail => detail.Is(ErrorInfo.Descriptor)).Unpack<ErrorInfo>();
        Assert.Equal("mfa.v1", info.Domain);
        Assert.Equal(error.StatusCode, (StatusCode)status.Code);
        Assert.Equal(error.Status.Detail, status.Message);
        Assert.DoesNotContain("Exception", status.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("SQL", status.Message, StringComparison.Ordinal);
        return status;
    }

    private static string NameOf(ErrorReason reason) =>
        ErrorsReflection.Descriptor.EnumTypes[0].FindValueByNumber((int)reason).Name["ERROR_REASON_".Length..];
}
