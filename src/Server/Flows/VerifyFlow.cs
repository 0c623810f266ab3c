using System.Security.Cryptography;
using Mfa.Server.Callers;
using Mfa.Server.Callers.Quotas;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Mfa.Server.Store;

namespace Mfa.Server.Flows;

/// <param name="EnrollmentId">The enrollment to finish; null to check a code of the factor in force.</param>
/// <param name="RequestId">Makes the call repeatable; null when it stands for itself.</param>
internal sealed record VerifyCall(Principal Caller, AccountKey Account, SubmittedCode Code, Guid? EnrollmentId, Guid? RequestId);

/// <summary>
/// Verify: load the account, compare the code, decide, save, tell. It takes no cancellation token: once a code was looked at
/// it counts, whether or not the caller is still there.
/// </summary>
internal sealed class VerifyFlow(
    IStore store, CodeComparison comparison, Repeatable repeatable, Refusals refusals, Outgoing outgoing, GuessPolicies guesses,
    SprayGuard spray, Meters meters, TimeProvider clock, ILogger<VerifyFlow> log)
{
    public async Task<Result<VerifyAnswer>> RunAsync(VerifyCall call)
    {
        var now = clock.Read();
        byte[] payload = [.. (call.EnrollmentId ?? Guid.Empty).ToByteArray(), .. call.Code.Bytes];
        var remember = repeatable.Mark(call.Caller, call.Account, call.RequestId, "Verify", payload, now,
            VerifyAnswerJson.Default.VerifyAnswer, answer => answer.Kind != CheckKind.Stale);
        var act = call.EnrollmentId is null ? AuditAct.Verify : AuditAct.FinishEnrollment;
        var entry = new AuditEntry(now, act, call.Caller.Audited, call.Account) { Reference = call.RequestId };

        for (var attempt = 0; attempt < Attempts.Max; attempt++)
        {
            var recent = attempt == 0 && call.EnrollmentId is null;
            var (account, before) = await store.FindAsync(call.Account, attempt == 0 ? remember?.Mark : null, recent);
            if (before is not null) return remember!.Decode(before);
            var subject = call.EnrollmentId is null ? account.InForce : account.PendingAt(now);
            if (subject is null || (call.EnrollmentId is { } id && id != subject.Id))
            {
                // The same request may have been answered since we looked, and its effect be what is in the way.
                return await repeatable.BeforeAsync(remember)
                    ?? await refusals.RecordAsync(entry, call.EnrollmentId is null ? RefusalKind.NotEnabled : RefusalKind.EnrollmentNotFound);
            }

            if (CodeComparison.LengthRefusal(subject, call.Code) is { } refusal)
            {
                if (recent) continue; // nothing would be saved that finds out whether it is still this enrollment: the row tells
                return refusal;
            }

            Func<Account, Change<Result<VerifyAnswer>>> decide;
            try
            {
                decide = Compared(call, subject, entry);
            }
            catch (CryptographicException) when (recent)
            {
                continue; // sealed anew by another process since, and the key of that time is gone: the row tells
            }

            var result = await store.UpdateAsync(account, decide, remember);
            if (result.Value is not { Kind: CheckKind.Stale })
            {
                if (result.Value is { } answer)
                {
                    spray.Saw(call.Caller, call.Account, answer.Kind);
                    Count(answer, call.EnrollmentId is null);
                    log.Verdict(call.Account.Tenant, call.Account.Account, call.Caller.Id, answer.Factor, answer.Kind);
                }

                return result;
            }
        }

        return await refusals.RecordAsync(entry, RefusalKind.Conflict);
    }

    private Func<Account, Change<Result<VerifyAnswer>>> Compared(VerifyCall call, Enrollment subject, AuditEntry entry) => call.EnrollmentId is null
        ? DecideOnFactor(subject, comparison.WithFactor(call.Account, subject, call.Code, entry.Time), entry)
        : DecideOnEnrollment(subject, comparison.WithEnrollment(call.Account, subject, call.Code, entry.Time), entry);

    private void Count(VerifyAnswer answer, bool onFactor)
    {
        meters.Verdict(answer.Factor, answer.Kind);
        meters.Compared(Guessing.Verify, answer.Kind);
        if (answer.Kind is not (CheckKind.Wrong or CheckKind.Used or CheckKind.Expired) || answer.AttemptsRemaining > 0) return;
        var door = !onFactor ? Door.Enrollment : answer.Factor == ProvenBy.RecoveryCode ? Door.RecoveryCode : Door.Factor;
        meters.Shut(door, blocked: answer.RetryTime is null);
    }

    private Func<Account, Change<Result<VerifyAnswer>>> DecideOnFactor(
        Enrollment subject, Evidence evidence, AuditEntry entry) => account =>
    {
        var check = CodeCheck.OfFactor(account, evidence, guesses, entry.Time);
        var byRecovery = evidence is RecoveryEvidence;
        var answer = VerifyAnswer.Of(check, evidence.ProvenBy(subject), entry.Time);
        Notice? notice = check.Kind == CheckKind.Accepted && byRecovery ? Notice.RecoveryUsed
            : check.Kind is CheckKind.Wrong or CheckKind.Used or CheckKind.Expired && answer.RetryTime is not null ? Notice.Locked
            : null;
        return Telling(notice, check, check.Next.InForce, answer, entry);
    };

    private Func<Account, Change<Result<VerifyAnswer>>> DecideOnEnrollment(
        Enrollment subject, Evidence evidence, AuditEntry entry) => account =>
    {
        var check = CodeCheck.OfEnrollment(account, evidence, guesses, entry.Time);
        Notice? notice = check.Kind == CheckKind.Accepted ? (account.InForce is null ? Notice.Enabled : Notice.Replaced) : null;
        // A replaced factor's owner is told where they were told so far: whoever put the new one in may have brought an address.
        return Telling(notice, check, account.InForce ?? subject, VerifyAnswer.Of(check, subject.ProvenBy, entry.Time), entry);
    };

    private Change<Result<VerifyAnswer>> Telling(Notice? notice, CheckResult check, Enrollment? owner, VerifyAnswer answer, AuditEntry entry)
    {
        var messages = notice is { } kind && owner is not null ? outgoing.Notices(kind, entry.Account, owner, entry.Time, answer.RetryTime) : [];
        var send = messages.Count == 0 ? null : new Send<Result<VerifyAnswer>>(messages, [], hit => Refusal.Of(hit));
        return new(answer, check.Next, entry.Checked(check, answer.Factor), send);
    }
}
