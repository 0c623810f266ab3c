using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Flows;

/// <summary>Compares a submitted code with an account's secrets: the slow half of a check, the one that needs keys.</summary>
internal sealed class CodeComparison(Sealer sealer, RecoveryHashes recoveryHashes, SentCodeHashes sentCodes, EnrollmentOptions options, SteadyClock clock)
{
    /// <summary>Compares with the factor in force, or with its recovery codes, whichever the code's form asks for.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">
    /// The secret does not open: the check fails, it does not refuse.
    /// </exception>
    public Evidence WithFactor(AccountKey key, Enrollment factor, SubmittedCode code, DateTimeOffset now) =>
        code is RecoveryCode recovery
            ? recoveryHashes.Compare(key, factor.Recovery, recovery)
            : WithEnrollment(key, factor, code, now);

    /// <summary>Compares with the enrollment alone: a recovery code proves nothing about a new one, and so matches nothing.</summary>
    public Evidence WithEnrollment(AccountKey key, Enrollment enrollment, SubmittedCode code, DateTimeOffset now)
    {
        if (enrollment.Secret is not { } sealedSecret) return sentCodes.Compare(key, enrollment, code);
        if (code is not OtpCode otp) return new StepEvidence(enrollment.Id, Step: null);
        var binding = Sealer.SecretBinding(key, enrollment.Id, enrollment.Method, enrollment.Totp);
        using var secret = sealer.OpenSecret(sealedSecret, binding);
        return new StepEvidence(enrollment.Id, TotpMatch.Newest(secret.Bytes, enrollment.Totp, options.ToleranceSteps, otp, clock.SystemTimeAt(now)));
    }

    /// <summary>Digits of another length than the enrollment's are no code of it: bad input, not a guess.</summary>
    public static Refusal? LengthRefusal(Enrollment enrollment, SubmittedCode code) =>
        code is OtpCode otp && otp.Length != enrollment.Totp.Digits
            ? new Refusal(RefusalKind.CodeLength, Digits: enrollment.Totp.Digits)
            : null;
}
