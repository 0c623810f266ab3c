using Mfa.Torture.Faults;
using Mfa.Torture.History;
using Mfa.V1;

namespace Mfa.Torture.Load;

/// <summary>What happens to one account: everything its owner, its callers and a thief of its codes may do, by chance.</summary>
internal sealed class Life(Owner owner, Client client, Mailbox mailbox, ITarget target, Chance chance)
{
    private static readonly TimeSpan MailPatience = TimeSpan.FromSeconds(4);

    private int _clockMoves = target.ClockMoves;
    private int _server = target.Life;

    /// <summary>Nothing more comes of it: it is locked for long, or its mail got lost in a fault.</summary>
    public bool Over { get; private set; }

    public async Task RunAsync(int actions, CancellationToken end)
    {
        for (var i = 0; i < actions && !Over && !end.IsCancellationRequested; i++) await ActAsync();
    }

    /// <summary>At the end: what is there, and that what was used is used.</summary>
    /// <param name="client">Of the server that is looked at.</param>
    public async Task LookBackAsync(Client client)
    {
        await client.GetStatusAsync(owner);
        if (owner.Old(chance) is not { Kind: not SubmittedKind.Token } old || !Fits(old)) return;
        await client.VerifyAsync(owner, old, owner.TextOf(old));
        await client.GetStatusAsync(owner);
    }

    private Task ActAsync()
    {
        if (_clockMoves != target.ClockMoves) owner.ClockMoved();
        _clockMoves = target.ClockMoves;
        if (_server != target.Life)
        {
            _server = target.Life;
            if (owner.Newest is { } newest) return ReplayAsync(newest); // now, if ever, the server has forgotten it
        }

        var dice = chance.Next(100);
        if (owner.Factor is null)
        {
            if (owner.Pending is not { } pending || dice < 10) return EnableAsync(null, "");
            return dice < 20 ? GuessAsync(pending.Id)
                : dice < 30 ? PendingProvesNothingAsync(pending)
                : ConfirmAsync(pending);
        }

        return dice switch
        {
            < 24 => RightAsync(),
            < 34 => owner.Old(chance) is { } old ? ReplayAsync(old) : RightAsync(),
            < 48 => GuessAsync(""),
            < 62 => RecoverAsync(),
            < 68 => client.GetStatusAsync(owner),
            < 74 => RegenerateAsync(),
            < 82 => ReplaceAsync(),
            < 92 => owner.Pending is { } pending ? ConfirmAsync(pending) : RightAsync(),
            _ => DisableAsync(),
        };
    }

    private async Task EnableAsync(Submitted? what, string text)
    {
        var mails = mailbox.Of(owner.Email).Length;
        var (answer, reply, _) = await client.EnableAsync(owner, what, text);
        if (reply is null)
        {
            // A code of an enrollment that nobody was told of may be on its way: what arrives from now on cannot be told apart.
            if (owner.Sends && answer.Outcome is not Outcome.Refused) Over = true;
            return;
        }

        owner.Learn(new Known(reply.EnrollmentId, owner.Sends ? null : Totp.Decode(reply.Secret)));
        owner.Learn(reply.EnrollmentId, reply.RecoveryCodes);
        if (owner.Sends) await AwaitMailAsync(new Submitted(SubmittedKind.Sent, reply.EnrollmentId), mails);
    }

    private async Task ConfirmAsync(Known pending)
    {
        if (await NextCodeAsync(pending) is not { } what)
        {
            await GuessAsync(pending.Id);
            return;
        }

        if (await SubmitAsync(what, pending.Id) is not { } answer) return;
        if (answer is { Outcome: Outcome.Ok, Verdict: Verdict.Accepted }) Confirmed(pending);
        else if (answer.Outcome is Outcome.Unknown or Outcome.Unavailable) await LookAsync();
        else if (answer.Outcome == Outcome.Refused) owner.Pending = null;
    }

    private async Task PendingProvesNothingAsync(Known pending)
    {
        if (owner.NextStep(pending, target.Now) is { } what && Fits(what)) await client.VerifyAsync(owner, what, owner.TextOf(what));
        if (owner.Recovery.TryPeek(out var recovery)) await client.VerifyAsync(owner, recovery, owner.TextOf(recovery));
    }

    private async Task RightAsync()
    {
        if (await NextCodeAsync(owner.Factor!) is { } what) await SubmitAsync(what);
        else await RecoverAsync();
    }

    private async Task ReplayAsync(Submitted old)
    {
        if (old.Kind == SubmittedKind.Token) await client.ConfirmDisableAsync(owner, old);
        else if (Fits(old)) await client.VerifyAsync(owner, old, owner.TextOf(old));
    }

    private async Task GuessAsync(string enrollment)
    {
        var count = chance.Next(3) == 0 ? chance.Next(2, 9) : 1;
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ =>
        {
            var id = chance.Next(4) == 0 ? Guid.NewGuid().ToString() : "";
            return NoteAsync(client.VerifyAsync(owner, Submitted.Wrong, owner.WrongCode(chance, Target.Nows), enrollment, id));
        }));
    }

    private async Task RecoverAsync()
    {
        if (owner.Recovery.TryDequeue(out var what)) await SubmitAsync(what);
    }

    private async Task RegenerateAsync()
    {
        var (what, text) = await ProofAsync();
        var (call, reply) = await client.RegenerateAsync(owner, what, text);
        if (reply is not null) owner.Learn($"set-{call.Id}", reply.RecoveryCodes);
    }

    private async Task ReplaceAsync()
    {
        if (chance.Next(6) == 0)
        {
            await client.EnableAsync(owner, null, ""); // must be refused: nothing proves the factor in force
            return;
        }

        var (what, text) = await ProofAsync();
        await EnableAsync(what, text);
    }

    private async Task DisableAsync()
    {
        var id = Guid.NewGuid().ToString();
        var mails = mailbox.Of(owner.Email).Length;
        if (!await UntilAnsweredAsync(() => client.DisableAsync(owner, id))) return;
        var token = new Submitted(SubmittedKind.Token, id);
        if (!await AwaitMailAsync(token, mails)) return;
        owner.Mailed.Pop();
        owner.Submit(token);
        if (chance.Next(4) == 0) return; // it was only asked for

        var sameId = chance.Next(2) == 0 ? Guid.NewGuid().ToString() : "";
        var calls = await Task.WhenAll(Enumerable.Range(0, chance.Next(1, 5)).Select(_ => client.ConfirmDisableAsync(owner, token, sameId)));
        if (calls.Any(call => call.Answer.Outcome == Outcome.Ok)) (owner.Factor, owner.Pending) = (null, null);
        else if (calls.Any(call => call.Answer.Outcome is Outcome.Unknown or Outcome.Unavailable)) await LookAsync();
    }

    /// <summary>Once, twice, many times at once, with a request id or without, or hanging up.</summary>
    /// <returns>The best that came of it; null when it was not sent.</returns>
    private async Task<Answer?> SubmitAsync(Submitted what, string enrollment = "")
    {
        if (!Fits(what)) return null;
        owner.Submit(what);
        var text = owner.TextOf(what);
        var id = chance.Next(2) == 0 ? Guid.NewGuid().ToString() : "";
        var copies = chance.Next(4) == 0 ? chance.Next(2, 9) : 1;
        using var hangUp = new CancellationTokenSource();
        if (target.IsHungUpOn && chance.Next(20) == 0) hangUp.CancelAfter(TimeSpan.FromMicroseconds(chance.Next(8_000)));
        var calls = await Task.WhenAll(Enumerable.Range(0, copies).Select(_ => NoteAsync(client.VerifyAsync(owner, what, text, enrollment, id, hangUp.Token))));
        if (id.Length > 0 && chance.Next(2) == 0) calls = [.. calls, await client.VerifyAsync(owner, what, text, enrollment, id)];
        return calls.Select(call => call.Answer).OrderByDescending(a => a.Verdict == Verdict.Accepted).ThenBy(a => a.Outcome).First();
    }

    private async Task<Submitted?> NextCodeAsync(Known known)
    {
        if (known.Secret is not null) return owner.NextStep(known, target.Now);
        if (owner.Mailed.TryPop(out var mailed)) return mailed;
        if (known != owner.Factor) return null;
        var id = Guid.NewGuid().ToString();
        var mails = mailbox.Of(owner.Email).Length;
        return await UntilAnsweredAsync(() => client.GetTokenAsync(owner, id)) && await AwaitMailAsync(new Submitted(SubmittedKind.Sent, id), mails)
            ? owner.Mailed.Pop()
            : null;
    }

    /// <summary>A code for a call that needs one: mostly a good one.</summary>
    private async Task<(Submitted What, string Text)> ProofAsync()
    {
        var what = chance.Next(5) switch
        {
            0 => null,
            1 => owner.Old(chance),
            2 => await NextCodeAsync(owner.Factor!),
            _ => owner.Recovery.TryDequeue(out var recovery) ? recovery : null,
        };
        if (what is null or { Kind: SubmittedKind.Token } || !Fits(what)) return (Submitted.Wrong, owner.WrongCode(chance, Target.Nows));
        owner.Submit(what);
        return (what, owner.TextOf(what));
    }

    private bool Fits(Submitted what) => owner.IsOnly(what, owner.TextOf(what), Target.Nows);

    private async Task<Call> NoteAsync(Task<Call> sent)
    {
        var call = await sent;
        if (call.Answer is { Verdict: Verdict.Locked, LockedUntil: var until } && (until is null || until > target.Now + 3_000) && chance.Next(3) == 0)
            Over = true;
        return call;
    }

    /// <summary>Repeats a request with its id, through all faults, until it is answered.</summary>
    private async Task<bool> UntilAnsweredAsync(Func<Task<Call>> request)
    {
        var moves = target.ClockMoves;
        for (var tries = 0; tries < 8 && moves == target.ClockMoves; tries++)
        {
            var call = await request();
            if (call.Answer.Outcome == Outcome.Ok) return true;
            if (call.Answer.Outcome == Outcome.Refused) return false;
        }

        Over = true;
        return false;
    }

    private async Task<bool> AwaitMailAsync(Submitted what, int before)
    {
        using var patience = new CancellationTokenSource(MailPatience);
        while (!patience.IsCancellationRequested)
        {
            if (mailbox.Of(owner.Email) is var mails && mails.Length > before)
            {
                owner.Learn(what, mails[^1]);
                return true;
            }

            await Task.Delay(5);
        }

        Over = true;
        return false;
    }

    private async Task LookAsync()
    {
        var status = (await client.GetStatusAsync(owner)).Answer;
        if (status.Outcome != Outcome.Ok) Over = true;
        else if (status.State is State.Disabled) (owner.Factor, owner.Pending) = (null, null);
        else if (owner.Pending is { } pending && status.Enrollment != pending.Id) Confirmed(pending);
    }

    private void Confirmed(Known pending) => (owner.Factor, owner.Pending) = (pending, null);
}
