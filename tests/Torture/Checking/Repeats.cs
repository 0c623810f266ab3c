using Mfa.Torture.History;

namespace Mfa.Torture.Checking;

/// <summary>
/// Rule 7: calls with one request id are one request. Its answers must be equal; it takes effect once, between the first call's
/// start and the first answer's end.
/// </summary>
internal static class Repeats
{
    /// <param name="cut">The server's clock moved so far that it may have forgotten a request: nothing after is checked.</param>
    public static Call[] Fold(Call[] calls, ServerClock clock, TimeSpan lifetime, List<string> violations, out bool cut)
    {
        cut = false;
        var folded = calls.Where(call => call.RequestId.Length == 0).ToList();
        var end = long.MaxValue;
        foreach (var request in calls.Where(call => call.RequestId.Length > 0).GroupBy(call => (call.Rpc, call.RequestId)))
        {
            var repeats = request.ToArray();
            var from = repeats.Min(call => call.Start);
            var now = clock.Between(from, repeats.Where(call => call.Answer.Outcome != Outcome.Unknown).Select(call => call.End).DefaultIfEmpty(from).Max());
            if (repeats.Length > 1 && now.Steady.Last - now.Steady.First >= lifetime.TotalMilliseconds)
            {
                cut = true;
                end = Math.Min(end, from);
                continue;
            }

            // A refusal is no answer to remember: it had no effect, and the same request may fare better later.
            folded.AddRange(repeats.Where(call => call.Answer.Outcome == Outcome.Refused));
            var asked = repeats.Where(call => call.Answer.Outcome != Outcome.Refused).ToArray();
            if (asked.Length > 0) folded.Add(Once(asked, violations));
            var answered = asked.Where(call => call.Answer.Outcome == Outcome.Ok).Select(call => call.End).DefaultIfEmpty(long.MaxValue).Min();
            violations.AddRange(repeats.Where(call => call.Answer.Outcome == Outcome.Refused && call.Start > answered).Select(call =>
                $"{call.Account}: rule 7, request {call.RequestId} was answered before call {call.Id} was refused {call.Answer.Reason}"));
        }

        return [.. folded.Where(call => call.Start < end).Select(call => call.End <= end ? call : Unanswered(call)).OrderBy(call => call.Start).ThenBy(call => call.Id)];
    }

    private static Call Once(Call[] repeats, List<string> violations)
    {
        var start = repeats.Min(call => call.Start);
        var answered = repeats.Where(call => call.Answer.Outcome == Outcome.Ok).ToArray();
        if (answered.Length == 0) return repeats[0] with { Start = start, End = repeats.Max(call => call.End), Answer = Answer.Unknown };

        var first = answered.MinBy(call => call.End)!;
        violations.AddRange(answered.Where(call => call.Answer != first.Answer).Select(other =>
            $"{other.Account}: rule 7, request {other.RequestId} was answered {first.Answer} and {other.Answer}"));
        return first with { Start = start };
    }

    private static Call Unanswered(Call call) => call with { Answer = Answer.Unknown };
}
