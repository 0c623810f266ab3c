using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Mfa.Server.Callers;
using Mfa.Server.Callers.Quotas;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Mfa.Server.Store;

namespace Mfa.Server.Flows;

/// <param name="Token">The 32 bytes that were mailed.</param>
internal sealed record ConfirmDisableCall(Principal Caller, AccountKey Account, byte[] Token, Guid? RequestId)
{
    public override string ToString() => nameof(ConfirmDisableCall);
}

internal sealed record ConfirmDisableAnswer(DateTimeOffset DisableTime);

[JsonSerializable(typeof(ConfirmDisableAnswer))]
internal sealed partial class ConfirmDisableAnswerJson : JsonSerializerContext;

/// <summary>
/// ConfirmDisable: with the mailed token, and credentials that were checked on the way in, erase the factor and all that came
/// with it. Why a token is refused is not told.
/// </summary>
internal sealed class ConfirmDisableFlow(
    IStore store, Repeatable repeatable, Outgoing outgoing, SprayGuard spray, Meters meters, TimeProvider clock, ILogger<ConfirmDisableFlow> log)
{
    public async Task<Result<ConfirmDisableAnswer>> RunAsync(ConfirmDisableCall call)
    {
        var now = clock.Read();
        var hash = SHA256.HashData(call.Token);
        var remember = repeatable.Mark(call.Caller, call.Account, call.RequestId, "ConfirmDisable", hash, now,
            ConfirmDisableAnswerJson.Default.ConfirmDisableAnswer, _ => true);
        if (await repeatable.BeforeAsync(remember) is { } before) return before;

        var entry = new AuditEntry(now, AuditAct.ConfirmDisable, call.Caller.Audited, call.Account) { Reference = call.RequestId };
        var result = await store.UpdateAsync(await store.FindAsync(call.Account), account => Decide(account, hash, entry), remember);
        if (result.Refusal is { Kind: RefusalKind.TokenRefused })
        {
            spray.Saw(call.Caller, call.Account, CheckKind.Wrong);
            meters.Compared(Guessing.ConfirmDisable, CheckKind.Wrong);
        }

        log.Disabled(call.Account.Tenant, call.Account.Account, call.Caller.Id, result.Value is not null);
        return result;
    }

    private Change<Result<ConfirmDisableAnswer>> Decide(Account account, byte[] hash, AuditEntry entry)
    {
        var now = entry.Time;
        if (account.InForce is not { } factor || account.DisableToken is not { } token || token.EnrollmentId != factor.Id
            || !CryptographicOperations.FixedTimeEquals(token.Hash, hash))
            return new(RefusalKind.TokenRefused, account, entry.Refused(AuditReason.Wrong));
        if (token.ExpireTime <= now) return new(RefusalKind.TokenRefused, account, entry.Refused(AuditReason.Expired));

        // Guesses at enrolling stay counted: switching off gives no new ones.
        var off = new Account(account.Key)
        {
            Version = account.Version,
            DisableTime = now,
            EnrollmentGuesses = account.EnrollmentGuesses,
        };
        var messages = outgoing.Notices(Notice.Disabled, account.Key, factor, now);
        return new(new ConfirmDisableAnswer(now), off, entry.Done(factor.ProvenBy), new Send<Result<ConfirmDisableAnswer>>(messages, [], hit => Refusal.Of(hit)));
    }
}
