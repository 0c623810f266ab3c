using Mfa.Torture.History;

namespace Mfa.Torture.Checking;

/// <summary>What a history proves.</summary>
/// <param name="Events">Calls that were checked.</param>
/// <param name="Cut">Accounts that were checked up to a moment when a clock had made the server forget requests.</param>
/// <param name="Violations">One line each.</param>
internal sealed record Report(int Accounts, int Events, int Verdicts, int Unknown, int Cut, List<string> Violations);

/// <summary>Checks a history against the rules of the contract. A pure function: it knows nothing of a server.</summary>
internal sealed class Checker(Rules rules)
{
    public Report Check(IReadOnlyList<Line> history)
    {
        var clock = new ServerClock(history.Select(line => line.Clock).OfType<ClockMove>(), history.Select(line => line.Death).OfType<Death>());
        var deaths = history.Select(line => line.Death).OfType<Death>().ToDictionary(death => death.Server, death => death.Time);
        var calls = history.Select(line => line.Call).OfType<Call>().Select(call => Bounded(call, deaths)).ToArray();
        var violations = history.Select(line => line.Note).OfType<Note>().Where(note => note.Violation).Select(note => note.Text).ToList();
        var search = new Search(new Contract(rules), clock);
        var (accounts, cut) = (0, 0);
        foreach (var account in calls.GroupBy(call => call.Account))
        {
            accounts++;
            var own = account.OrderBy(call => call.Start).ThenBy(call => call.Id).ToArray();
            violations.AddRange(Once.Violations(own));
            var folded = Repeats.Fold(own, clock, rules.RequestLifetime, violations, out var wasCut);
            if (wasCut) cut++;
            if (Explain(search, folded) is { } unexplained) violations.Add($"{account.Key}: {unexplained}");
        }

        return new Report(
            accounts, calls.Length, calls.Count(call => call.Answer.Verdict != V1.Verdict.Unspecified),
            calls.Count(call => call.Answer.Outcome is Outcome.Unknown or Outcome.Unavailable), cut, violations);
    }

    /// <summary>A call without an answer can still be at work after its caller has gone, but not after its server has.</summary>
    private static Call Bounded(Call call, Dictionary<int, long> deaths) => call.Answer.Outcome != Outcome.Unknown ? call
        : call with { End = Math.Max(call.End, deaths.GetValueOrDefault(call.Server, long.MaxValue)) };

    private static string? Explain(Search search, Call[] calls) => search.Run(calls, out var stuck) switch
    {
        Finding.Explained => null,
        Finding.Undecided => $"undecided: too many calls at once among {calls.Length}",
        Finding.Violation => $"{RuleOf(stuck!.Value.Call)}: call {stuck.Value.Call.Id}, {stuck.Value.Call.Rpc} of {Told(stuck.Value.Call)}, " +
            $"fits no order of the calls; closest was {stuck.Value.State}",
        Finding.Unspecified => "not searched", // unreachable
    };

    /// <summary>Which of the contract's rules the answer most likely breaks; a hint for whoever reads the history.</summary>
    private static string RuleOf(Call call) => call switch
    {
        { Answer.ShowsSecret: true } => "rule 8, a secret shown again",
        { Answer.Reason: "NOT_ENABLED" or "ENROLLMENT_NOT_FOUND" } => "rules 3 and 9, something acknowledged is gone",
        { Rpc: Rpc.GetStatus } => "rule 3, something acknowledged is gone",
        { Answer.Verdict: V1.Verdict.Accepted } or { Answer.Outcome: Outcome.Ok, What: not null, Rpc: not Rpc.Verify } =>
            "rules 2, 5 and 6, accepted what must not be",
        { Answer.Verdict: V1.Verdict.Locked } or { Answer.Reason: "LOCKED" } => "rule 6, a lock that should not be",
        { Answer.Verdict: V1.Verdict.Rejected } => "rules 3 and 4, counts are wrong",
        _ => "rules 1 and 9, an answer that fits no state",
    };

    private static string Told(Call call) => $"{call.What?.ToString() ?? "nothing"} answered {call.Answer}";
}
