using Mfa.Torture.History;

namespace Mfa.Torture.Checking;

internal enum Finding
{
    Unspecified = 0,

    /// <summary>There is an order of the calls, each at one moment between its start and its end, that explains every answer.</summary>
    Explained,

    /// <summary>There is none.</summary>
    Violation,

    /// <summary>Too many orders to try. Counts as a failure of the load, which must not make such histories.</summary>
    Undecided,
}

/// <summary>
/// Looks for an order of the calls on one account that explains all answers (linearizability, after Wing and Gong, with
/// Lowe's memory of what was tried). Calls that nobody knows the outcome of may be left out. Of those there are many after a full
/// disk, most of them alike; so orders in which alike ones come by their ends are tried first, and only when none of them will do,
/// all.
/// </summary>
internal sealed class Search(Contract contract, ServerClock clock)
{
    private const int MostTries = 2_000_000;

    /// <summary>How far calls may overtake each other: bits of a mask.</summary>
    private const int Window = 128;

    /// <param name="stuck">The answered call that nothing explains, and a state that it met.</param>
    public Finding Run(Call[] calls, out (Call Call, AccountState State)? stuck) =>
        Run(calls, alikeByEnd: true, out stuck) is Finding.Explained ? Finding.Explained : Run(calls, alikeByEnd: false, out stuck);

    private Finding Run(Call[] calls, bool alikeByEnd, out (Call Call, AccountState State)? stuck)
    {
        stuck = null;
        var spans = Array.ConvertAll(calls, call => clock.Between(call.Start, call.End));
        var seen = new HashSet<Node>();
        var open = new Stack<Node>();
        open.Push(new Node(0, default, AccountState.Unknown));
        var deepest = -1;
        while (open.TryPop(out var node))
        {
            if (node.First == calls.Length) return Finding.Explained;
            if (!seen.Add(node)) continue;
            if (seen.Count > MostTries) return Finding.Undecided;
            var candidates = Candidates(calls, node);
            if (candidates is null) return Finding.Undecided;
            var before = open.Count;
            if (alikeByEnd) candidates.Sort((a, b) => calls[a].End.CompareTo(calls[b].End));
            Expand(calls, spans, node, candidates, alikeByEnd, open);
            if (open.Count > before) continue;
            var depth = node.First + (int)UInt128.PopCount(node.Done);
            if (depth <= deepest) continue;
            deepest = depth;
            var known = candidates.Where(i => IsKnown(calls[i])).DefaultIfEmpty(candidates[0]).MinBy(i => calls[i].End);
            stuck = (calls[known], node.State);
        }

        return Finding.Violation;
    }

    private void Expand(Call[] calls, Moments[] spans, Node node, List<int> candidates, bool alikeByEnd, Stack<Node> open)
    {
        // What changes nothing and fits now can come now: if a solution has it later, it has one with it here, too.
        foreach (var i in candidates)
        {
            if (!IsKnown(calls[i]) || contract.After(node.State, calls[i], spans[i]) is not [var only] || only != node.State) continue;
            open.Push(node.With(i, only));
            return;
        }

        var anyKnown = candidates.Exists(i => IsKnown(calls[i]));
        var tried = new HashSet<(Rpc, Submitted?, string, string, long)>();
        foreach (var i in candidates.Where(i => !IsKnown(calls[i])))
        {
            var call = calls[i];
            if (!anyKnown) open.Push(node.With(i, node.State)); // left out; as long as others can go first, that can wait
            // Of several that would do the same, any one stands for all.
            var named = call.Rpc is Rpc.GetToken or Rpc.Disable ? call.RequestId : "";
            if (call.Rpc != Rpc.Enable && !tried.Add((call.Rpc, call.What, call.Enrollment, named, alikeByEnd ? 0 : call.End))) continue;
            foreach (var next in contract.After(node.State, call, spans[i])) open.Push(node.With(i, next));
        }

        foreach (var i in candidates.Where(i => IsKnown(calls[i])))
        {
            foreach (var next in contract.After(node.State, calls[i], spans[i])) open.Push(node.With(i, next));
        }
    }

    /// <summary>The calls that can come next: those that began before any other remaining one had ended.</summary>
    private static List<int>? Candidates(Call[] calls, Node node)
    {
        var candidates = new List<int>();
        var firstEnd = long.MaxValue;
        for (var i = node.First; i < calls.Length && calls[i].Start <= firstEnd; i++)
        {
            if (i - node.First >= Window) return null;
            if (node.IsDone(i)) continue;
            firstEnd = Math.Min(firstEnd, calls[i].End);
            candidates.Add(i);
        }

        candidates.RemoveAll(i => calls[i].Start > firstEnd);
        return candidates;
    }

    private static bool IsKnown(Call call) => call.Answer.Outcome is Outcome.Ok or Outcome.Refused;

    /// <param name="First">All calls before this one are placed.</param>
    /// <param name="Done">Bit i: the call at First + i is placed.</param>
    private readonly record struct Node(int First, UInt128 Done, AccountState State)
    {
        public bool IsDone(int i) => (Done >> (i - First) & UInt128.One) != 0;

        public Node With(int i, AccountState state)
        {
            var (first, done) = (First, Done | UInt128.One << (i - First));
            while ((done & UInt128.One) != 0) (first, done) = (first + 1, done >> 1);
            return new Node(first, done, state);
        }
    }
}
