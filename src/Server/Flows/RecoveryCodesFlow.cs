using Mfa.Server.Callers;
using Mfa.Server.Callers.Quotas;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Flows;

/// <summary>RegenerateRecoveryCodes: prove the factor in force, then put a new set in place of the old one.</summary>
internal sealed class RecoveryCodesFlow(
    IStore store, CodeComparison comparison, RecoveryHashes recoveryHashes, Refusals refusals, GuessPolicies guesses, SprayGuard spray,
    Meters meters, TimeProvider clock, ILogger<RecoveryCodesFlow> log)
{
    public async Task<Result<IReadOnlyList<RecoveryCode>>> RunAsync(Principal caller, AccountKey key, SubmittedCode code)
    {
        var now = clock.Read();
        var entry = new AuditEntry(now, AuditAct.RegenerateRecoveryCodes, caller.Audited, key);
        var codes = RecoveryCode.NewSet();
        var set = recoveryHashes.NewSet(key, codes);

        for (var attempt = 0; attempt < Attempts.Max; attempt++)
        {
            var account = await store.FindAsync(key);
            if (account.InForce is not { } factor) return await refusals.RecordAsync(entry, RefusalKind.NotEnabled);
            if (CodeComparison.LengthRefusal(factor, code) is { } refusal) return refusal;

            var evidence = comparison.WithFactor(key, factor, code, now);
            var proof = await store.UpdateAsync(account, current => Decide(current, evidence, set, entry));
            if (proof == Proof.Stale) continue;
            spray.Saw(caller, key, proof.Kind);
            meters.Compared(Guessing.RegenerateRecoveryCodes, proof.Kind);
            if (proof.Shuts is { } blocked) meters.Shut(evidence is RecoveryEvidence ? Door.RecoveryCode : Door.Factor, blocked);
            log.RecoveryCodes(key.Tenant, key.Account, caller.Id, proof.Kind);
            return proof.Refusal is { } refused ? refused : codes;
        }

        return await refusals.RecordAsync(entry, RefusalKind.Conflict);
    }

    private Change<Proof> Decide(Account account, Evidence evidence, RecoverySet set, AuditEntry entry)
    {
        var check = CodeCheck.OfFactor(account, evidence, guesses, entry.Time);
        var provenBy = account.InForce is { } subject ? evidence.ProvenBy(subject) : ProvenBy.Unspecified;
        return check.Kind == CheckKind.Accepted && check.Next.InForce is { } factor
            ? new(Proof.Of(check, entry.Time), check.Next with { InForce = factor with { Recovery = set }, RecoveryGuesses = default }, entry.Done(provenBy))
            : new(Proof.Of(check, entry.Time), check.Next, entry.Checked(check, provenBy));
    }
}
