using Mfa.Torture.History;

namespace Mfa.Torture.Checking;

/// <summary>Rule 2 by counting alone, without a model that could be wrong: each code is accepted at most once.</summary>
internal static class Once
{
    public static IEnumerable<string> Violations(IEnumerable<Call> calls) =>
        from call in calls
        where call.What is not null && Accepted(call)
        group call by (call.Account, call.What) into uses
        let requests = uses.Select(call => call.RequestId.Length > 0 ? call.RequestId : $"call {call.Id}").Distinct().ToArray()
        where requests.Length > 1
        select $"{uses.Key.Account}: rule 2, {uses.Key.What} was accepted {requests.Length} times, by calls " +
            string.Join(", ", uses.Select(call => call.Id));

    /// <summary>Enable is left to the model: on an account without a factor it does not look at the code that came along.</summary>
    private static bool Accepted(Call call) => call.Answer.Outcome == Outcome.Ok && call.Rpc != Rpc.Enable
        && (call.Rpc != Rpc.Verify || call.Answer.Verdict == V1.Verdict.Accepted);
}
