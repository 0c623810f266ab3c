using Mfa.Torture.Checking;
using Mfa.Torture.History;
using Mfa.V1;

namespace Mfa.Torture.Tests;

/// <summary>A history made by hand: calls on one account, one after another unless they are said to overlap.</summary>
internal sealed class Told
{
    /// <summary>Of the account's first enrollment.</summary>
    public const string First = "enrollment-1";

    private const long Second = 1_000_000;

    private readonly List<Line> _lines = [];
    private long _now = 1_800_000_000 * Second;
    private long _id;

    public long Step => _now / Second / new Rules().PeriodSeconds;

    public long Milliseconds => _now / 1000;

    /// <summary>An account whose first enrollment was finished with the code of this step.</summary>
    public static Told Enrolled(out long step)
    {
        var told = new Told();
        step = told.Step;
        told.Call(Rpc.Enable, new Answer(Outcome.Ok) { Enrollment = First });
        told.Verify(Code(step), Accepted(), First);
        return told;
    }

    public static Submitted Code(long step, string enrollment = First) => new(SubmittedKind.Step, enrollment, step);

    public static Submitted Recovery(int place, string set = First) => new(SubmittedKind.Recovery, set, place);

    public static Answer Accepted(int recoveryCodes = 8) =>
        new(Outcome.Ok) { Verdict = Verdict.Accepted, Attempts = 5, RecoveryCodes = recoveryCodes };

    public static Answer Rejected(int attempts, long? lockedUntil = null, int recoveryCodes = 8) =>
        new(Outcome.Ok) { Verdict = Verdict.Rejected, Attempts = attempts, LockedUntil = lockedUntil, RecoveryCodes = recoveryCodes };

    public static Answer Locked(long until) => new(Outcome.Ok) { Verdict = Verdict.Locked, LockedUntil = until, RecoveryCodes = 8 };

    public static Answer Status(State state, int recoveryCodes = 8, string pending = "") =>
        new(Outcome.Ok) { State = state, RecoveryCodes = recoveryCodes, Enrollment = pending };

    public Told Verify(Submitted what, Answer answer, string enrollment = "", string request = "") =>
        Call(Rpc.Verify, answer, what, enrollment, request);

    public Told Call(Rpc rpc, Answer answer, Submitted? what = null, string enrollment = "", string request = "")
    {
        Pass(TimeSpan.FromMilliseconds(1));
        _lines.Add(new Line(new Call(++_id, "account", rpc, _now, _now + 500, 1, answer, what, enrollment, request)));
        return this;
    }

    /// <summary>Answers that came to calls which were all under way at the same time.</summary>
    public Told AtOnce(Submitted what, params Answer[] answers)
    {
        Pass(TimeSpan.FromMilliseconds(1));
        foreach (var answer in answers) _lines.Add(new Line(new Call(++_id, "account", Rpc.Verify, _now, _now + 500, 1, answer, what)));
        return this;
    }

    public Told Pass(TimeSpan time)
    {
        _now += time.Ticks / 10;
        return this;
    }

    /// <summary>The server's clock is set to this much ahead, or behind.</summary>
    public Told ClockSet(TimeSpan offset)
    {
        Pass(TimeSpan.FromMilliseconds(1));
        _lines.Add(new Line(Clock: new ClockMove(_now, _now + 1, (long)offset.TotalMilliseconds)));
        return Pass(TimeSpan.FromMilliseconds(1));
    }

    /// <summary>The server dies: what it has not done by now it never did.</summary>
    public Told Died()
    {
        Pass(TimeSpan.FromMilliseconds(1));
        _lines.Add(new Line(Death: new Death(1, _now)));
        return this;
    }

    public void IsRight() => Assert.Empty(Violations());

    /// <summary>The checker finds something, and names this rule.</summary>
    public void Breaks(int rule) =>
        Assert.Contains(Violations(), text => text.Contains("rule", StringComparison.Ordinal) && text.Contains($" {rule}", StringComparison.Ordinal));

    private List<string> Violations() => new Checker(new Rules()).Check(_lines).Violations;
}
