using System.Text;
using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Flows;

/// <param name="Email">Given by a service; a person's comes from the directory.</param>
/// <param name="Label">Null for the account.</param>
/// <param name="Code">A current code, needed when the account is enabled.</param>
internal sealed record EnableCall(Principal Caller, AccountKey Account, Method Method, EmailAddress? Email, string? Label, SubmittedCode? Code);

/// <summary>A new pending enrollment with its secrets, which are told once, here.</summary>
internal sealed record EnableAnswer(
    Guid EnrollmentId, string Issuer, string Secret, string KeyUri, IReadOnlyList<RecoveryCode> RecoveryCodes, DateTimeOffset ExpireTime)
{
    public override string ToString() => nameof(EnableAnswer);
}

/// <summary>Enable: prove the factor in force if there is one, then put a new enrollment beside it, pending.</summary>
internal sealed class EnableFlow(
    SqliteStore store, UserDirectory directory, CodeComparison comparison, Sealer sealer, RecoveryHashes recoveryHashes,
    EnrollmentOptions options, GuessOptions guesses, TimeProvider clock, ILogger<EnableFlow> log)
{
    public async Task<Result<EnableAnswer>> RunAsync(EnableCall call)
    {
        var now = clock.Read();
        var expireTime = now + options.Lifetime;
        var codes = RecoveryCode.NewSet();
        using var secret = OpenSecret.New(options.Totp.SecretBytes);
        var enrollment = NewEnrollment(call, secret, codes);

        for (var attempt = 0; attempt < Attempts.Max; attempt++)
        {
            var account = store.Find(call.Account);
            Evidence? evidence = null;
            if (account.InForce is { } factor)
            {
                if (call.Code is null) return RefusalKind.AlreadyEnabled;
                if (CodeComparison.LengthRefusal(factor, call.Code) is { } refusal) return refusal;
                evidence = comparison.WithFactor(call.Account, factor, call.Code, now);
            }

            var outcome = await store.UpdateAsync(account, current => Decide(current, evidence, enrollment, expireTime, now));
            if (outcome == Proof.Stale) continue;
            log.Enrollment(call.Account.Tenant, call.Account.Account, call.Caller.Id, call.Method, outcome.Kind);
            if (outcome.Refusal is { } refused) return refused;

            var base32 = secret.Reveal();
            var uri = KeyUri.For(options.Issuer, call.Label ?? call.Account.Account, base32, options.Totp);
            return new EnableAnswer(enrollment.Id, options.Issuer, base32, uri, codes, expireTime);
        }

        return RefusalKind.Conflict;
    }

    private Change<Proof> Decide(Account account, Evidence? evidence, Enrollment enrollment, DateTimeOffset expireTime, DateTimeOffset now)
    {
        // Enabled or disabled since it was loaded: what was compared is not what must be proven now.
        if (account.InForce is null != evidence is null) return new(Proof.Stale, account);

        var proof = Proof.NotNeeded;
        if (evidence is not null)
        {
            var check = CodeCheck.OfFactor(account, evidence, guesses.Policies, now);
            proof = Proof.Of(check);
            account = check.Next;
            if (check.Kind != CheckKind.Accepted) return new(proof, account);
        }

        return new(proof, account with
        {
            Pending = enrollment with { Email = enrollment.Email ?? account.InForce?.Email }, // nothing lost by leaving it out
            PendingExpireTime = expireTime,
        });
    }

    private Enrollment NewEnrollment(EnableCall call, OpenSecret secret, IReadOnlyList<RecoveryCode> codes)
    {
        var id = Guid.NewGuid();
        var email = call.Caller.Kind == CallerKind.Person ? directory.FindEmail(call.Caller.Name) : call.Email;
        return new Enrollment(
            id,
            call.Method,
            options.Totp,
            sealer.Seal(secret.Bytes, Sealer.SecretBinding(call.Account, id, call.Method, options.Totp)),
            LastStep: 0,
            recoveryHashes.NewSet(call.Account, codes),
            email is null ? null : sealer.Seal(Encoding.UTF8.GetBytes(email.Reveal()), Sealer.EmailBinding(call.Account)));
    }
}
