using System.Security.Cryptography;
using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Mfa.Server.Protection;
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
    SqliteStore store, CodeComparison comparison, KeyRing ring, GuessOptions guesses, TimeProvider clock, ILogger<VerifyFlow> log)
{
    /// <summary>How long an answer is remembered for a repeated request.</summary>
    private static readonly TimeSpan AnswerLifetime = TimeSpan.FromMinutes(10);

    public async Task<Result<VerifyAnswer>> RunAsync(VerifyCall call)
    {
        var now = clock.Read();
        var remember = Remembering(call, now);
        if (Before(remember) is { } before) return before;

        for (var attempt = 0; attempt < Attempts.Max; attempt++)
        {
            var account = store.Find(call.Account);
            var subject = call.EnrollmentId is null ? account.InForce : account.PendingAt(now);
            if (subject is null || (call.EnrollmentId is { } id && id != subject.Id))
            {
                // The same request may have been answered since we looked, and its effect be what is in the way.
                return Before(remember) ?? (call.EnrollmentId is null ? RefusalKind.NotEnabled : RefusalKind.EnrollmentNotFound);
            }

            if (CodeComparison.LengthRefusal(subject, call.Code) is { } refusal) return refusal;

            var decide = call.EnrollmentId is null
                ? DecideOnFactor(subject, comparison.WithFactor(call.Account, subject, call.Code, now), now)
                : DecideOnEnrollment(subject, comparison.WithSecret(call.Account, subject, call.Code, now), now);
            var result = await store.UpdateAsync(account, decide, remember);
            if (result.Value is not { Kind: CheckKind.Stale })
            {
                if (result.Value is { } answer)
                    log.Verdict(call.Account.Tenant, call.Account.Account, call.Caller.Id, answer.Factor, answer.Kind);
                return result;
            }
        }

        return RefusalKind.Conflict;
    }

    private Func<Account, Change<Result<VerifyAnswer>>> DecideOnFactor(
        Enrollment subject, Evidence evidence, DateTimeOffset now) => account =>
    {
        var check = CodeCheck.OfFactor(account, evidence, guesses.Policies, now);
        var factor = evidence is RecoveryEvidence ? ProvenBy.RecoveryCode : subject.ProvenBy;
        return new(VerifyAnswer.Of(check, factor, now), check.Next);
    };

    private Func<Account, Change<Result<VerifyAnswer>>> DecideOnEnrollment(
        Enrollment subject, StepEvidence evidence, DateTimeOffset now) => account =>
    {
        var check = CodeCheck.OfEnrollment(account, evidence, guesses.Policies, now);
        return new(VerifyAnswer.Of(check, subject.ProvenBy, now), check.Next);
    };

    private Remember<Result<VerifyAnswer>>? Remembering(VerifyCall call, DateTimeOffset now)
    {
        if (call.RequestId is not { } requestId) return null;
        // The hash is keyed, because a bare one of six digits is as good as the digits. Fixed-length field first.
        byte[] payload = [.. (call.EnrollmentId ?? Guid.Empty).ToByteArray(), .. call.Code.Bytes];
        var hash = HMACSHA256.HashData(ring.SubKey(ring.ActiveId, KeyPurpose.Requests), payload);
        var mark = new RequestMark(call.Account, call.Caller.Id, requestId, hash, now + AnswerLifetime);
        return new(mark, Encode, before => CryptographicOperations.FixedTimeEquals(before.Payload, hash)
            ? VerifyAnswer.Decode(before.Answer)
            : RefusalKind.RequestIdReused);
    }

    private Result<VerifyAnswer>? Before(Remember<Result<VerifyAnswer>>? remember) =>
        remember is not null && store.FindAnswer(remember.Mark) is { } answered ? remember.Decode(answered) : (Result<VerifyAnswer>?)null;

    private static byte[]? Encode(Result<VerifyAnswer> result) =>
        result.Value is { Kind: not CheckKind.Stale } answer ? answer.Encode() : null;
}
