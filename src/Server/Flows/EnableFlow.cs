using Mfa.Server.Callers;
using Mfa.Server.Callers.Quotas;
using Mfa.Server.Delivery;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Flows;

/// <param name="Email">Given by a service; a person's comes from the directory.</param>
/// <param name="Label">Null for the account.</param>
/// <param name="Locale">The language of messages; null for the default.</param>
/// <param name="Code">A current code, needed when the account is enabled.</param>
internal sealed record EnableCall(
    Principal Caller,
    AccountKey Account,
    Method Method,
    EmailAddress? Email,
    PhoneNumber? Phone,
    string? Label,
    string? Locale,
    SubmittedCode? Code);

/// <summary>What an authenticator app needs. Told once, here.</summary>
internal sealed record AuthenticatorKey(string Secret, string KeyUri)
{
    public override string ToString() => nameof(AuthenticatorKey);
}

/// <summary>A new pending enrollment with its secrets, which are told once, here.</summary>
/// <param name="Key">Null when codes are sent.</param>
/// <param name="Destination">Where the first code was sent, masked; empty when an app computes codes.</param>
internal sealed record EnableAnswer(
    Guid EnrollmentId,
    string Issuer,
    AuthenticatorKey? Key,
    IReadOnlyList<RecoveryCode> RecoveryCodes,
    string Destination,
    DateTimeOffset ExpireTime)
{
    public override string ToString() => nameof(EnableAnswer);
}

/// <summary>Enable: prove the factor in force if there is one, then put a new enrollment beside it, pending.</summary>
internal sealed class EnableFlow(
    IStore store, UserDirectory directory, CodeComparison comparison, Sealer sealer, RecoveryHashes recoveryHashes, CodeIssuer issuer,
    Destinations destinations, PhoneParser phones, Refusals refusals, EnrollmentOptions options, GuessPolicies guesses, SprayGuard spray,
    Meters meters, TimeProvider clock, ILogger<EnableFlow> log)
{
    public async Task<Result<EnableAnswer>> RunAsync(EnableCall call)
    {
        var now = clock.Read();
        var entry = new AuditEntry(now, AuditAct.Enable, call.Caller.Audited, call.Account);
        if (call.Phone is { } phone && !phones.Allows(phone)) return await refusals.RecordAsync(entry, RefusalKind.DestinationNotAllowed);
        var expireTime = now + options.Lifetime;
        var codes = RecoveryCode.NewSet();
        using var secret = call.Method == Method.Authenticator ? OpenSecret.New(options.Totp.SecretBytes) : null;
        var enrollment = NewEnrollment(call, secret, codes);
        if (call.Method == Method.Email && enrollment.Email is null) return await refusals.RecordAsync(entry, RefusalKind.NoEmail); // a person whose row is gone

        for (var attempt = 0; attempt < Attempts.Max; attempt++)
        {
            var account = await store.FindAsync(call.Account);
            Evidence? evidence = null;
            if (account.InForce is { } factor)
            {
                if (call.Code is null) return await refusals.RecordAsync(entry, RefusalKind.AlreadyEnabled);
                if (CodeComparison.LengthRefusal(factor, call.Code) is { } refusal) return refusal;
                evidence = comparison.WithFactor(call.Account, factor, call.Code, now);
            }

            var first = FirstCode(call, enrollment, now);
            var outcome = await store.UpdateAsync(account, current => Decide(current, evidence, first, expireTime, entry));
            if (outcome == Proof.Stale) continue;
            spray.Saw(call.Caller, call.Account, outcome.Kind);
            meters.Compared(Guessing.Enable, outcome.Kind);
            if (outcome.Shuts is { } blocked) meters.Shut(evidence is RecoveryEvidence ? Door.RecoveryCode : Door.Factor, blocked);
            log.Enrollment(call.Account.Tenant, call.Account.Account, call.Caller.Id, call.Method, outcome.Kind);
            return outcome.Refusal is { } refused ? refused : Answer(call, enrollment, secret, codes, expireTime);
        }

        return await refusals.RecordAsync(entry, RefusalKind.Conflict);
    }

    private Change<Proof> Decide(
        Account account, Evidence? evidence, (Enrollment Enrollment, Send<Proof>? Send) first, DateTimeOffset expireTime, AuditEntry entry)
    {
        // Enabled or disabled since it was loaded: what was compared is not what must be proven now.
        if (account.InForce is null != evidence is null) return new(Proof.Stale, account, Audit: null);

        var proof = Proof.NotNeeded;
        if (account.InForce is { } factor && evidence is not null)
        {
            var check = CodeCheck.OfFactor(account, evidence, guesses, entry.Time);
            proof = Proof.Of(check, entry.Time);
            account = check.Next;
            if (check.Kind != CheckKind.Accepted) return new(proof, account, entry.Checked(check, evidence.ProvenBy(factor)));
        }

        var send = first.Send is null ? null : first.Send with
        {
            // Who has just proven the old factor with a sent code must not wait for the new factor's.
            Limits = evidence is SentEvidence ? [.. first.Send.Limits.Where(limit => limit.Gap == TimeSpan.Zero)] : first.Send.Limits,
            Supersedes = account.Pending?.OpenCode?.Id,
        };
        var pending = first.Enrollment with { Email = first.Enrollment.Email ?? account.InForce?.Email }; // nothing lost by leaving it out
        return new(proof, account with { Pending = pending, PendingExpireTime = expireTime }, entry.Done(pending.ProvenBy), send);
    }

    private Enrollment NewEnrollment(EnableCall call, OpenSecret? secret, IReadOnlyList<RecoveryCode> codes)
    {
        var id = Guid.NewGuid();
        var totp = secret is null ? options.Totp with { Digits = OtpCode.SentDigits } : options.Totp;
        var email = call.Caller.Kind == CallerKind.Person ? directory.FindEmail(call.Caller.Name) : call.Email;
        return new Enrollment(
            id,
            call.Method,
            totp,
            secret is null ? null : sealer.Seal(secret.Bytes, Sealer.SecretBinding(call.Account, id, call.Method, totp)),
            LastStep: 0,
            recoveryHashes.NewSet(call.Account, codes),
            destinations.Seal(call.Account, email),
            destinations.Seal(call.Account, call.Phone),
            call.Locale);
    }

    /// <summary>The first code of a method that sends them, and its message.</summary>
    private (Enrollment, Send<Proof>?) FirstCode(EnableCall call, Enrollment enrollment, DateTimeOffset now)
    {
        if (enrollment.Destination is null) return (enrollment, null);
        var issued = issuer.Issue(call.Account, enrollment, call.Caller, now);
        var send = new Send<Proof>([issued.Message], issued.Limits, hit => new Proof(CheckKind.Accepted, Refusal.Of(hit)));
        return (enrollment with { OpenCode = issued.Stored }, send);
    }

    private EnableAnswer Answer(EnableCall call, Enrollment enrollment, OpenSecret? secret, RecoveryCode[] codes, DateTimeOffset expireTime)
    {
        var base32 = secret?.Reveal();
        var key = base32 is null ? null
            : new AuthenticatorKey(base32, KeyUri.For(options.Issuer, call.Label ?? call.Account.Account, base32, enrollment.Totp));
        var destination = key is null ? destinations.Masked(call.Account, enrollment) : "";
        return new EnableAnswer(enrollment.Id, options.Issuer, key, codes, destination, expireTime);
    }
}
