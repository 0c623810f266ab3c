using Mfa.Torture.History;
using Mfa.V1;

namespace Mfa.Torture.Checking;

/// <summary>The contract as a machine: which states a call may leave behind, given what it was answered.</summary>
internal sealed class Contract(Rules rules)
{
    private readonly Guessing _guessing = new(rules);

    /// <summary>The states after the call. None when no rule allows that answer in this state.</summary>
    /// <param name="now">When the server may have read its clocks.</param>
    public List<AccountState> After(AccountState state, Call call, Moments now)
    {
        var outcomes = Outcomes(state, call, now);
        if (call.Answer.Outcome is Outcome.Ok or Outcome.Refused)
            return [.. outcomes.Where(o => Matches(call, o)).Select(o => o.Next).Distinct()];

        // Nobody was told: it happened, as any of these, or it did not.
        return [.. outcomes.Select(o => o.Next).Where(next => next != state).Distinct()];
    }

    private IEnumerable<Possible> Outcomes(AccountState state, Call call, Moments now) => call.Rpc switch
    {
        Rpc.Enable => Enable(state, call, now),
        Rpc.Verify => call.Enrollment.Length == 0 ? VerifyFactor(state, call, now) : VerifyPending(state, call, now),
        Rpc.GetToken => GetToken(state, call, now),
        Rpc.Disable => Disable(state, call, now),
        Rpc.ConfirmDisable => ConfirmDisable(state, call, now),
        Rpc.GetStatus => Status(state, now),
        Rpc.RegenerateRecoveryCodes => Regenerate(state, call, now),
        Rpc.Unspecified => [],
    };

    private IEnumerable<Possible> Enable(AccountState state, Call call, Moments now)
    {
        // An enrollment whose id nobody was told can expire, but never be finished.
        var id = call.Answer.Enrollment.Length > 0 ? call.Answer.Enrollment : $"untold-{call.Id}";
        var open = call.Sends ? new SentCode(id, now.Plus(rules.CodeLifetime), 0) : null;
        var pending = new Enrolled(id, call.Sends, 0, id, 0, open, now.Plus(rules.EnrollmentLifetime));
        if (state.Factor is not { } factor)
        {
            yield return new(new Answer(Outcome.Ok), state with { Pending = pending });
            yield break;
        }

        if (call.What is not { } what)
        {
            yield return new(Answer.Refused("ALREADY_ENABLED"), state);
            yield break;
        }

        foreach (var guess in _guessing.AtFactor(state, factor, what, now, told: null))
            yield return Proof(guess, guess.Next with { Pending = pending });
    }

    private IEnumerable<Possible> Regenerate(AccountState state, Call call, Moments now)
    {
        if (state.Factor is not { } factor) return [new(Answer.Refused("NOT_ENABLED"), state)];
        return _guessing.AtFactor(state, factor, call.What!, now, told: null).Select(guess => Proof(guess, guess.Next with
        {
            Factor = guess.Next.Factor! with { Set = $"set-{call.Id}", Used = 0 },
            RecoveryGuesses = Budget.Fresh,
        }));
    }

    /// <summary>A call that needs a current code: done with an accepted one, otherwise refused, and a guess.</summary>
    private static Possible Proof(Guess guess, AccountState done) => guess.Tried switch
    {
        Tried.Accepted => new(new Answer(Outcome.Ok), done),
        Tried.Wrong => new(Answer.Refused("CODE_REFUSED"), guess.Next),
        Tried.Locked => new(Answer.Refused("LOCKED"), guess.Next),
    };

    private IEnumerable<Possible> VerifyFactor(AccountState state, Call call, Moments now)
    {
        if (state.Factor is not { } factor) return [new(Answer.Refused("NOT_ENABLED"), state)];
        return _guessing.AtFactor(state, factor, call.What!, now, call.Answer.LockedUntil).Select(Told);
    }

    private IEnumerable<Possible> VerifyPending(AccountState state, Call call, Moments now)
    {
        if (state.Pending is not { } pending || pending.Id != call.Enrollment)
        {
            yield return new(Answer.Refused("ENROLLMENT_NOT_FOUND"), state);
            yield break;
        }

        if (pending.Expires.MayBeOver(now)) yield return new(Answer.Refused("ENROLLMENT_NOT_FOUND"), state);
        if (!pending.Expires.MayBeAhead(now)) yield break;
        foreach (var guess in _guessing.AtPending(state, pending, call.What!, now, call.Answer.LockedUntil)) yield return Told(guess);
    }

    private Possible Told(Guess guess)
    {
        var blocked = guess.Budget.Failures >= rules.Cap && guess.Budget == guess.Next.FactorGuesses;
        var answer = new Answer(Outcome.Ok)
        {
            Verdict = guess.Tried switch
            {
                Tried.Accepted => V1.Verdict.Accepted,
                Tried.Wrong => V1.Verdict.Rejected,
                Tried.Locked => V1.Verdict.Locked,
            },
            Attempts = guess.Attempts,
            RecoveryCodes = RecoveryCodes(guess.Next),
        };
        return new(answer, guess.Next, blocked ? null : guess.Budget.LockedUntil);
    }

    private List<Possible> GetToken(AccountState state, Call call, Moments now)
    {
        if (state.Factor is not { } factor) return [new(Answer.Refused("NOT_ENABLED"), state)];
        if (!factor.Sends) return [new(Answer.Refused("METHOD_SENDS_NO_CODE"), state)];
        if (state.FactorGuesses.Failures >= rules.Cap) return [new(Answer.Refused("LOCKED"), state)];

        var possible = new List<Possible>();
        var until = state.FactorGuesses.LockedUntil;
        if (until?.MayBeAhead(now) is true) possible.Add(new(Answer.Refused("LOCKED"), state));
        if (until?.MayBeOver(now) is not false)
        {
            var open = new SentCode(call.RequestId, now.Plus(rules.CodeLifetime), 0);
            possible.Add(new(new Answer(Outcome.Ok), state with { Factor = factor with { Open = open } }));
        }

        return possible;
    }

    private IEnumerable<Possible> Disable(AccountState state, Call call, Moments now) => state.Factor is null
        ? [new(Answer.Refused("NOT_ENABLED"), state)]
        : [new(new Answer(Outcome.Ok), state with { Token = new Token(call.RequestId, now.Plus(rules.TokenLifetime)) })];

    private static IEnumerable<Possible> ConfirmDisable(AccountState state, Call call, Moments now)
    {
        var token = state.Factor is not null && state.Token?.Request == call.What!.Of ? state.Token : null;
        if (token is null || token.Expires.MayBeOver(now)) yield return new(Answer.Refused("TOKEN_REFUSED"), state);
        if (token?.Expires.MayBeAhead(now) is true)
            yield return new(new Answer(Outcome.Ok), new AccountState { EnrollmentGuesses = state.EnrollmentGuesses });
    }

    private IEnumerable<Possible> Status(AccountState state, Moments now)
    {
        Enrolled?[] pendings = state.Pending is not { } p ? [null]
            : p.Expires.MayBeOver(now) ? (p.Expires.MayBeAhead(now) ? [p, null] : [null])
            : [p];
        Span?[] locks = state.FactorGuesses.LockedUntil is not { } until ? [null]
            : until.MayBeOver(now) ? (until.MayBeAhead(now) ? [until, null] : [null])
            : [until];
        return from pending in pendings
               from locked in locks
               let answer = new Answer(Outcome.Ok)
               {
                   State = state.Factor is null ? (pending is null ? State.Disabled : State.Pending)
                       : state.FactorGuesses.Failures >= rules.Cap ? State.Blocked
                       : State.Enabled,
                   RecoveryCodes = RecoveryCodes(state),
                   Enrollment = pending?.Id ?? "",
               }
               select new Possible(answer, state, locked);
    }

    private static bool Matches(Call call, Possible possible)
    {
        var (told, expected) = (call.Answer, possible.Answer);
        if (told.ShowsSecret || told.Outcome != expected.Outcome) return false;
        if (told.Outcome == Outcome.Refused) return told.Reason == expected.Reason;
        return call.Rpc switch
        {
            Rpc.Verify => told.Verdict == expected.Verdict && told.Attempts == expected.Attempts
                && told.RecoveryCodes == expected.RecoveryCodes && IsIn(told.LockedUntil, possible.LockedUntil),
            // A pending enrollment that nobody was told of has an id that nobody can foresee.
            Rpc.GetStatus => told.State == expected.State && told.RecoveryCodes == expected.RecoveryCodes
                && IsIn(told.LockedUntil, possible.LockedUntil)
                && (told.Enrollment == expected.Enrollment || (expected.Enrollment.StartsWith("untold-", StringComparison.Ordinal) && told.Enrollment.Length > 0)),
            _ => true,
        };
    }

    private static bool IsIn(long? told, Span? possible) =>
        told is { } t ? possible is { } span && t >= span.First && t <= span.Last : possible is null;

    private static int RecoveryCodes(AccountState state) => state.Factor is { } factor ? 8 - int.PopCount(factor.Used) : 0;

    /// <param name="LockedUntil">The lock that the answer tells of.</param>
    private readonly record struct Possible(Answer Answer, AccountState Next, Span? LockedUntil = null);
}
