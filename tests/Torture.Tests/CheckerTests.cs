using Mfa.Torture.History;
using Mfa.V1;
using static Mfa.Torture.Tests.Told;

namespace Mfa.Torture.Tests;

/// <summary>Histories that keep to the contract's nine rules, and for each rule some that do not.</summary>
public sealed class CheckerTests
{
    private static readonly Answer Lost = Answer.Unknown;

    [Fact]
    public void A_life_without_a_fault_is_right()
    {
        var told = Enrolled(out var step);
        told.Verify(Code(step), Rejected(4)).Verify(Submitted.Wrong, Rejected(3)).Verify(Code(step + 1), Accepted())
            .Verify(Recovery(0), Accepted(7)).Call(Rpc.GetStatus, Status(State.Enabled, 7))
            .Call(Rpc.RegenerateRecoveryCodes, new Answer(Outcome.Ok), Recovery(1)).Call(Rpc.GetStatus, Status(State.Enabled))
            .Call(Rpc.Disable, new Answer(Outcome.Ok), request: "d")
            .Call(Rpc.ConfirmDisable, new Answer(Outcome.Ok), new Submitted(SubmittedKind.Token, "d"))
            .Call(Rpc.GetStatus, Status(State.Disabled, 0)).Verify(Recovery(2), Answer.Refused("NOT_ENABLED")).IsRight();
    }

    [Fact]
    public void Rule_1_a_wrong_code_is_an_answer_and_never_an_error_or_a_success()
    {
        Enrolled(out _).Verify(Submitted.Wrong, Answer.Refused("CODE_REFUSED")).Breaks(1);
        Enrolled(out _).Verify(Submitted.Wrong, Accepted()).Breaks(2);
        Enrolled(out _).Verify(Submitted.Wrong, new Answer(Outcome.Ok) { Attempts = 4, RecoveryCodes = 8 }).Breaks(1);
    }

    [Fact]
    public void Rule_2_each_code_is_good_once()
    {
        Enrolled(out var step).Verify(Code(step), Accepted()).Breaks(2);
        Enrolled(out step).Verify(Code(step + 1), Accepted()).Verify(Code(step - 1), Accepted()).Breaks(2); // an older step after a newer one
        Enrolled(out step).AtOnce(Code(step + 1), Accepted(), Rejected(4), Rejected(3)).IsRight();
        Enrolled(out step).AtOnce(Code(step + 1), Accepted(), Accepted(), Rejected(4)).Breaks(2);
        Enrolled(out _).Verify(Recovery(3), Accepted(7)).Verify(Recovery(3), Accepted(7)).Breaks(2);
        Enrolled(out _).Call(Rpc.Disable, new Answer(Outcome.Ok), request: "d")
            .Call(Rpc.ConfirmDisable, new Answer(Outcome.Ok), new Submitted(SubmittedKind.Token, "d"))
            .Call(Rpc.ConfirmDisable, new Answer(Outcome.Ok), new Submitted(SubmittedKind.Token, "d")).Breaks(2);
    }

    [Fact]
    public void Many_codes_without_an_answer_are_decided()
    {
        var unavailable = new Answer(Outcome.Unavailable);
        var told = Enrolled(out _).AtOnce(Submitted.Wrong, [.. Enumerable.Repeat(Lost, 14)]);
        for (var i = 0; i < 6; i++) told.AtOnce(Submitted.Wrong, [.. Enumerable.Repeat(unavailable, 6)]);
        told.Verify(Submitted.Wrong, Rejected(4)).Call(Rpc.GetStatus, Status(State.Enabled)).Died().IsRight();
    }

    [Fact]
    public void Rule_3_what_was_told_outlives_the_server()
    {
        Enrolled(out _).Verify(Recovery(0), Accepted(7)).Died().Call(Rpc.GetStatus, Status(State.Enabled)).Breaks(3);
        Enrolled(out _).Died().Call(Rpc.GetStatus, Status(State.Pending, 0, First)).Breaks(3);
        Enrolled(out _).Call(Rpc.Disable, new Answer(Outcome.Ok), request: "d")
            .Call(Rpc.ConfirmDisable, new Answer(Outcome.Ok), new Submitted(SubmittedKind.Token, "d")).Died()
            .Call(Rpc.GetStatus, Status(State.Enabled)).Breaks(3);
        Enrolled(out _).Call(Rpc.RegenerateRecoveryCodes, new Answer(Outcome.Ok), Recovery(0)).Died()
            .Verify(Recovery(1, "set-3"), Rejected(4)).Breaks(3);
    }

    [Fact]
    public void Rule_3_a_try_that_nobody_was_told_of_happened_whole_or_not_at_all()
    {
        Enrolled(out var step).Verify(Code(step + 1), Lost).Died().Verify(Code(step + 1), Accepted()).IsRight();
        Enrolled(out step).Verify(Code(step + 1), Lost).Died().Verify(Code(step + 1), Rejected(4)).IsRight();
        Enrolled(out _).Verify(Recovery(0), Lost).Died().Call(Rpc.GetStatus, Status(State.Enabled, 6)).Breaks(3);
        Enrolled(out step).Verify(Code(step + 1), new Answer(Outcome.Unavailable)).Verify(Code(step + 1), Rejected(4)).IsRight(); // poorer
        Enrolled(out _).Verify(Submitted.Wrong, Rejected(4)).Verify(Submitted.Wrong, new Answer(Outcome.Unavailable))
            .Verify(Submitted.Wrong, Rejected(4)).Breaks(4); // richer
    }

    [Fact]
    public void Rule_4_every_guess_counts()
    {
        Enrolled(out _).Verify(Submitted.Wrong, Rejected(4)).Verify(Submitted.Wrong, Rejected(4)).Breaks(4);
        Enrolled(out _).Verify(Submitted.Wrong, Rejected(4)).Died().Verify(Submitted.Wrong, Rejected(4)).Breaks(4);
        var told = Enrolled(out _);
        for (var i = 4; i > 0; i--) told.Verify(Submitted.Wrong, Rejected(i));
        told.Verify(Submitted.Wrong, Rejected(0)).Breaks(4); // the budget is used up and nothing locks
    }

    [Fact]
    public void Rule_4_guesses_at_once_are_looked_at_as_often_as_the_budget_allows()
    {
        var told = Enrolled(out _);
        var until = told.Milliseconds + 1_001;
        told.AtOnce(Submitted.Wrong, Locked(until), Rejected(2), Rejected(0, until), Rejected(4), Rejected(1), Rejected(3)).IsRight();

        told = Enrolled(out _);
        until = told.Milliseconds + 1_001;
        told.AtOnce(Submitted.Wrong, Rejected(3), Rejected(2), Rejected(0, until), Rejected(4), Rejected(1), Rejected(3)).Breaks(4);
    }

    [Fact]
    public void Rule_5_a_pending_enrollment_proves_nothing_and_replaces_nothing()
    {
        var told = new Told();
        told.Call(Rpc.Enable, new Answer(Outcome.Ok) { Enrollment = First }).Verify(Code(told.Step), Accepted()).Breaks(5);

        var enabled = new Answer(Outcome.Ok) { Enrollment = "enrollment-2" };
        Enrolled(out _).Call(Rpc.Enable, enabled).Breaks(1); // nothing was proven
        Enrolled(out _).Call(Rpc.Enable, enabled, Recovery(0)).Verify(Recovery(0, "enrollment-2"), Accepted(7)).Breaks(5);
        Enrolled(out var step).Call(Rpc.Enable, enabled, Recovery(0)).Verify(Code(step + 1), Accepted(7)).IsRight();
        Enrolled(out step).Call(Rpc.Enable, enabled, Recovery(0)).Verify(Code(step, "enrollment-2"), Accepted(), "enrollment-2")
            .Verify(Code(step + 1), Accepted()).Breaks(5); // the old factor went with the swap
    }

    [Fact]
    public void Rule_5_enabling_takes_a_used_code_along_where_nothing_must_be_proven_and_nowhere_else()
    {
        var again = new Answer(Outcome.Ok) { Enrollment = "enrollment-2" };
        var off = Enrolled(out var step).Call(Rpc.Disable, new Answer(Outcome.Ok), request: "d")
            .Call(Rpc.ConfirmDisable, new Answer(Outcome.Ok), new Submitted(SubmittedKind.Token, "d"));
        off.Call(Rpc.Enable, again, Code(step)).IsRight();
        Enrolled(out step).Call(Rpc.Enable, again, Code(step)).Breaks(5);
        Enrolled(out step).Call(Rpc.Enable, again, Code(step + 1)).Verify(Code(step + 1), Accepted()).Breaks(2);
    }

    [Fact]
    public void Rule_6_a_lock_is_kept_and_ends_by_itself()
    {
        var step = 0L;
        Told Guessed(out long until)
        {
            var told = Enrolled(out step);
            for (var i = 4; i > 0; i--) told.Verify(Submitted.Wrong, Rejected(i));
            until = told.Milliseconds + 1_001;
            return told.Verify(Submitted.Wrong, Rejected(0, until));
        }

        Guessed(out var end).Verify(Code(step + 1), Locked(end)).Pass(TimeSpan.FromSeconds(2)).Verify(Code(step + 1), Accepted()).IsRight();
        Guessed(out _).Verify(Code(step + 1), Accepted()).Breaks(6);
        Guessed(out end).Pass(TimeSpan.FromSeconds(2)).Verify(Code(step + 1), Locked(end)).Breaks(6);
        Guessed(out end).Verify(Code(step + 1), Locked(end)).Pass(TimeSpan.FromSeconds(2)).Verify(Code(step + 1), Rejected(4)).Breaks(4); // used up
        Guessed(out end).Verify(Recovery(0), Accepted(7)).IsRight();
    }

    [Fact]
    public void Rule_7_a_repeated_request_gets_its_first_answer_and_has_one_effect()
    {
        Enrolled(out var step).Verify(Code(step + 1), Accepted(), request: "r").Verify(Code(step + 1), Accepted(), request: "r").IsRight();
        Enrolled(out step).Verify(Code(step + 1), Accepted(), request: "r").Verify(Code(step + 1), Rejected(4), request: "r").Breaks(7);
        Enrolled(out _).Verify(Recovery(0), Lost, request: "r").Died().Verify(Recovery(0), Accepted(7), request: "r").IsRight();
        Enrolled(out _).Verify(Submitted.Wrong, Rejected(4), request: "r").Verify(Submitted.Wrong, Rejected(4), request: "r")
            .Verify(Submitted.Wrong, Rejected(2)).Breaks(4); // it counted twice
        Enrolled(out _).Verify(Recovery(0), Accepted(7), request: "r").Verify(Recovery(0), Answer.Refused("NOT_ENABLED"), request: "r").Breaks(7);
    }

    [Fact]
    public void Rule_8_a_secret_is_shown_once() =>
        Enrolled(out _).Call(Rpc.GetStatus, Status(State.Enabled) with { ShowsSecret = true }).Breaks(8);

    [Fact]
    public void Rule_9_a_fault_never_reads_as_not_enabled()
    {
        Enrolled(out var step).Verify(Code(step + 1), Answer.Refused("NOT_ENABLED")).Breaks(9);
        Enrolled(out _).Call(Rpc.GetStatus, Status(State.Disabled, 0)).Breaks(3);
        Enrolled(out step).Verify(Code(step + 1), new Answer(Outcome.Unavailable)).Verify(Code(step + 1), Accepted()).IsRight();
    }

    [Fact]
    public void A_clock_that_goes_back_revives_no_code_and_one_that_goes_ahead_makes_none_good()
    {
        Enrolled(out var step).Verify(Code(step + 1), Accepted()).ClockSet(TimeSpan.FromHours(-1)).Verify(Code(step + 1), Rejected(4)).IsRight();
        Enrolled(out step).Verify(Code(step + 1), Accepted()).ClockSet(TimeSpan.FromHours(-1)).Verify(Code(step - 240), Accepted()).Breaks(2);
        Enrolled(out step).ClockSet(TimeSpan.FromDays(1)).Verify(Code(step + 1), Accepted()).Breaks(2);
        Enrolled(out step).ClockSet(TimeSpan.FromDays(1)).Verify(Code(step + 5760), Accepted()).IsRight();
    }
}
