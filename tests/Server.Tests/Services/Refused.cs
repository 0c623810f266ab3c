using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Mfa.Server.Tests.Services;

/// <summary>Asserts on errors as a caller sees them.</summary>
internal static class Refused
{
    /// <summary>The call must fail with this status and exactly one ErrorInfo with this reason.</summary>
    public static async Task<Google.Rpc.Status> AsAsync(StatusCode code, string reason, Func<Task> call)
    {
        var error = await Assert.ThrowsAsync<RpcException>(call);
        var status = error.GetRpcStatus();
        Assert.NotNull(status);
        var info = Assert.Single(status.Details, detail => detail.Is(ErrorInfo.Descriptor)).Unpack<ErrorInfo>();
        Assert.Equal((code, "mfa.v1", reason), (error.StatusCode, info.Domain, info.Reason));
        return status;
    }

    /// <summary>The call must fail as bad input, naming these fields, each with a remedy.</summary>
    public static async Task FieldsAsync(string[] fields, Func<Task> call)
    {
        var status = await AsAsync(StatusCode.InvalidArgument, "INVALID_FIELD", call);
        var violations = status.GetDetail<BadRequest>().FieldViolations;
        Assert.Equal(fields.Order(), violations.Select(v => v.Field).Order());
        Assert.All(violations, violation => Assert.NotEmpty(violation.Description));
    }

    public static Duration? RetryDelay(this Google.Rpc.Status status) => status.GetDetail<RetryInfo>()?.RetryDelay;
}
