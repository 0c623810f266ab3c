using Google.Rpc;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.V1;

namespace Mfa.EndToEnd.Quotas;

/// <summary>Asserts that a call was turned away by a limit on its caller.</summary>
internal static class Past
{
    public static async Task LimitAsync(string limit, Func<Task> call)
    {
        var status = await Refused.AsAsync(StatusCode.ResourceExhausted, ErrorReason.CallerLimit, call);
        Assert.Equal(limit, status.GetDetail<ErrorInfo>()!.Metadata["limit"]);
        AssertSaysWhen(status);
    }

    /// <summary>A caller that waits must be told how long, and never "no time at all".</summary>
    public static void AssertSaysWhen(Google.Rpc.Status status) => Assert.True(status.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan() > TimeSpan.Zero);
}
