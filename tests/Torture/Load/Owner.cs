using Mfa.Torture.Checking;
using Mfa.Torture.History;

namespace Mfa.Torture.Load;

/// <summary>An enrollment as its owner knows it.</summary>
/// <param name="Secret">Null when codes are sent.</param>
internal sealed record Known(string Id, byte[]? Secret);

/// <summary>
/// The owner of one account: what was told, and what can be submitted. Believes what it was told; the checker alone decides
/// whether that was right.
/// </summary>
internal sealed class Owner(string account, bool sends, Rules rules)
{
    private readonly List<Known> _apps = [];
    private readonly List<Submitted> _old = [];
    private readonly Dictionary<Submitted, string> _texts = [];
    private readonly HashSet<string> _shown = [];
    private long _lastStep;

    public string Account => account;

    public bool Sends => sends;

    public string Email { get; } = $"{account}@example.org";

    /// <summary>The factor in force, as far as known.</summary>
    public Known? Factor { get; set; }

    public Known? Pending { get; set; }

    /// <summary>Recovery codes not submitted yet, of the newest set.</summary>
    public Queue<Submitted> Recovery { get; } = [];

    /// <summary>Sent codes and tokens not submitted yet.</summary>
    public Stack<Submitted> Mailed { get; } = [];

    public string TextOf(Submitted what) => _texts[what];

    /// <summary>What was submitted before, or belongs to what is gone.</summary>
    public Submitted? Old(Chance chance) => _old.Count == 0 ? null : _old[chance.Next(Math.Max(0, _old.Count - 12), _old.Count)];

    /// <summary>What was submitted last.</summary>
    public Submitted? Newest => _old.LastOrDefault();

    public void Learn(Known known)
    {
        _apps.Add(known);
        Pending = known;
        _lastStep = 0;
    }

    public void Learn(string set, IReadOnlyList<string> recoveryCodes)
    {
        while (Recovery.TryDequeue(out var unused)) _old.Add(unused);
        for (var i = 0; i < recoveryCodes.Count; i++)
        {
            var what = new Submitted(SubmittedKind.Recovery, set, i);
            _texts[what] = recoveryCodes[i];
            _shown.Add(recoveryCodes[i]);
            Recovery.Enqueue(what);
        }
    }

    public void Learn(Submitted mailed, string text)
    {
        _texts[mailed] = text;
        Mailed.Push(mailed);
    }

    public void Submit(Submitted what) => _old.Add(what);

    /// <summary>The next code of the app, if its clock has one that was not submitted.</summary>
    public Submitted? NextStep(Known app, long nowMilliseconds)
    {
        if (app.Secret is null) return null;
        var now = nowMilliseconds / 1000 / rules.PeriodSeconds;
        var step = Math.Max(_lastStep + 1, now - rules.ToleranceSteps);
        if (step > now + rules.ToleranceSteps) return null;
        _lastStep = step;
        var what = new Submitted(SubmittedKind.Step, app.Id, step);
        _texts[what] = Totp.Code(app.Secret, step);
        return what;
    }

    /// <summary>Starts over at a clock that was moved: the steps of the new time are new codes.</summary>
    public void ClockMoved() => _lastStep = 0;

    /// <summary>Digits that are no code of this account at any of these times.</summary>
    public string WrongCode(Chance chance, long[] nows)
    {
        while (true)
        {
            var code = chance.Next(1_000_000).ToString("D6");
            if (IsOnly(null, code, nows)) return code;
        }
    }

    /// <summary>The text is the code of this and of nothing else: one digit string in a million is, by chance, two codes.</summary>
    public bool IsOnly(Submitted? what, string text, long[] nows)
    {
        if (text.Length != 6) return true;
        if (_texts.Any(t => t.Key.Kind == SubmittedKind.Sent && t.Value == text && t.Key != what)) return false;
        foreach (var app in _apps.Where(app => app.Secret is not null).TakeLast(3))
        {
            foreach (var now in nows)
            {
                var step = now / 1000 / rules.PeriodSeconds;
                for (var s = step - rules.ToleranceSteps - 2; s <= step + rules.ToleranceSteps + 2; s++)
                {
                    if ((what?.Of != app.Id || what.Number != s) && Totp.Code(app.Secret!, s) == text) return false;
                }
            }
        }

        return true;
    }

    /// <summary>Whether a reply shows what was shown before (rule 8).</summary>
    public bool Shows(string reply) => _shown.Any(reply.Contains);
}
