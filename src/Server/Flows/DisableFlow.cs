using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Mfa.Server.Callers;
using Mfa.Server.Delivery;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Mfa.Server.Store;

namespace Mfa.Server.Flows;

internal sealed record DisableCall(Principal Caller, AccountKey Account, Guid? RequestId);

/// <summary>A token is on its way.</summary>
internal sealed record DisableAnswer(string Destination, DateTimeOffset ExpireTime, bool Stale = false);

[JsonSerializable(typeof(DisableAnswer))]
internal sealed partial class DisableAnswerJson : JsonSerializerContext;

/// <summary>Disable: mail a token that ConfirmDisable will take. Switches nothing off.</summary>
internal sealed class DisableFlow(
    IStore store, Repeatable repeatable, Refusals refusals, Outgoing outgoing, Destinations destinations, DeliveryOptions delivery,
    TimeProvider clock, ILogger<DisableFlow> log)
{
    public async Task<Result<DisableAnswer>> RunAsync(DisableCall call)
    {
        var now = clock.Read();
        var remember = repeatable.Mark(call.Caller, call.Account, call.RequestId, "Disable", [], now,
            DisableAnswerJson.Default.DisableAnswer, answer => !answer.Stale);
        if (await repeatable.BeforeAsync(remember) is { } before) return before;
        var entry = new AuditEntry(now, AuditAct.Disable, call.Caller.Audited, call.Account) { Reference = call.RequestId };

        for (var attempt = 0; attempt < Attempts.Max; attempt++)
        {
            var account = await store.FindAsync(call.Account);
            if (account.InForce is not { } factor) return await refusals.RecordAsync(entry, RefusalKind.NotEnabled);
            if (factor.Email is null) return await refusals.RecordAsync(entry, RefusalKind.NoEmail);

            var result = await store.UpdateAsync(account, Decide(call, factor, entry), remember);
            if (result.Value is { Stale: true }) continue;
            if (result.Value is not null) log.DisableAsked(call.Account.Tenant, call.Account.Account, call.Caller.Id);
            return result;
        }

        return await refusals.RecordAsync(entry, RefusalKind.Conflict);
    }

    private Func<Account, Change<Result<DisableAnswer>>> Decide(DisableCall call, Enrollment factor, AuditEntry entry)
    {
        var now = entry.Time;
        var secret = RandomNumberGenerator.GetBytes(DisableToken.SecretBytes);
        var token = new DisableToken(SHA256.HashData(secret), factor.Id, now + delivery.TokenLifetime);
        var message = outgoing.DisableToken(call.Account, factor, DisableToken.TextOf(secret), call.Caller, now);
        var limits = outgoing.Limits(call.Account, factor, Channel.Email, call.Caller);
        var answer = new DisableAnswer(destinations.Email(call.Account, factor)?.Masked() ?? "", token.ExpireTime);
        var send = new Send<Result<DisableAnswer>>([message], limits, hit => Refusal.Of(hit));

        return account => account.InForce?.Id == factor.Id
            ? new(answer, account with { DisableToken = token }, entry.Done(factor.ProvenBy), send)
            : new(answer with { Stale = true }, account, Audit: null);
    }
}
