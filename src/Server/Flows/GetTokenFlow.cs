using System.Text.Json.Serialization;
using Mfa.Server.Callers;
using Mfa.Server.Delivery;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Mfa.Server.Store;

namespace Mfa.Server.Flows;

/// <param name="EnrollmentId">The pending enrollment to send a code for; null for the factor in force.</param>
internal sealed record GetTokenCall(Principal Caller, AccountKey Account, Guid? EnrollmentId, Guid? RequestId);

/// <summary>A code is on its way. The code itself is in the message alone.</summary>
internal sealed record GetTokenAnswer(
    Method Method, string Destination, DateTimeOffset ExpireTime, DateTimeOffset ResendTime, bool Stale = false);

[JsonSerializable(typeof(GetTokenAnswer))]
internal sealed partial class GetTokenAnswerJson : JsonSerializerContext;

/// <summary>GetToken: make a code, save its hash and its message together, and let the courier carry it.</summary>
internal sealed class GetTokenFlow(
    IStore store, Repeatable repeatable, Refusals refusals, CodeIssuer issuer, Destinations destinations, DeliveryOptions delivery,
    GuessPolicies guesses, TimeProvider clock, ILogger<GetTokenFlow> log)
{
    public async Task<Result<GetTokenAnswer>> RunAsync(GetTokenCall call)
    {
        var now = clock.Read();
        var payload = (call.EnrollmentId ?? Guid.Empty).ToByteArray();
        var remember = repeatable.Mark(call.Caller, call.Account, call.RequestId, "GetToken", payload, now,
            GetTokenAnswerJson.Default.GetTokenAnswer, answer => !answer.Stale);
        if (await repeatable.BeforeAsync(remember) is { } before) return before;
        var entry = new AuditEntry(now, AuditAct.GetToken, call.Caller.Audited, call.Account) { Reference = call.RequestId };

        for (var attempt = 0; attempt < Attempts.Max; attempt++)
        {
            var account = await store.FindAsync(call.Account);
            var subject = call.EnrollmentId is null ? account.InForce : account.PendingAt(now);
            if (subject is null || (call.EnrollmentId is { } id && id != subject.Id))
            {
                return await repeatable.BeforeAsync(remember)
                    ?? await refusals.RecordAsync(entry, call.EnrollmentId is null ? RefusalKind.NotEnabled : RefusalKind.EnrollmentNotFound);
            }

            if (subject.Destination is null) return await refusals.RecordAsync(entry, RefusalKind.MethodSendsNoCode);

            var result = await store.UpdateAsync(account, Decide(call, subject, entry), remember);
            if (result.Value is { Stale: true }) continue;
            if (result.Value is { } sent) log.CodeQueued(call.Account.Tenant, call.Account.Account, call.Caller.Id, sent.Method);
            return result;
        }

        return await refusals.RecordAsync(entry, RefusalKind.Conflict);
    }

    private Func<Account, Change<Result<GetTokenAnswer>>> Decide(GetTokenCall call, Enrollment subject, AuditEntry entry)
    {
        var now = entry.Time;
        var issued = issuer.Issue(call.Account, subject, call.Caller, now);
        var destination = destinations.Masked(call.Account, subject);
        var answer = new GetTokenAnswer(subject.Method, destination, issued.Stored.ExpireTime, now + delivery.AccountGap);
        var send = new Send<Result<GetTokenAnswer>>([issued.Message], issued.Limits, hit => Refusal.Of(hit));

        return account =>
        {
            var pending = call.EnrollmentId is not null;
            var current = pending ? account.PendingAt(now) : account.InForce;
            if (current?.Id != subject.Id) return new(answer with { Stale = true }, account, Audit: null);

            // A code that could not be tried would only cost money.
            var (budget, policy) = pending
                ? (account.EnrollmentGuesses, guesses.Enrollment)
                : (account.FactorGuesses, guesses.Factor);
            if (budget.IsBlocked(policy)) return new(RefusalKind.Locked, account, entry.LockedOut(blocked: true));
            if (budget.IsLocked(now)) return new(new Refusal(RefusalKind.Locked, budget.LockedUntil), account, entry.LockedOut(blocked: false));

            var sent = current with { OpenCode = issued.Stored };
            var next = pending ? account with { Pending = sent } : account with { InForce = sent };
            return new(answer, next, entry.Done(subject.ProvenBy), send with { Supersedes = current.OpenCode?.Id });
        };
    }
}
