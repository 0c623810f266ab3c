using System.Text.Json.Serialization;
using Mfa.Server.Domain;

namespace Mfa.Server.Flows;

/// <summary>The answer of Verify, inner reason included; the caller sees accepted, rejected or locked.</summary>
internal sealed record VerifyAnswer(
    CheckKind Kind, ProvenBy Factor, int AttemptsRemaining, DateTimeOffset? RetryTime, int RecoveryCodesRemaining)
{
    public static VerifyAnswer Of(CheckResult check, ProvenBy factor, DateTimeOffset now) => new(
        check.Kind,
        factor,
        check.Budget.Remaining(check.Policy, now),
        check.Budget.IsLocked(now) && !check.Budget.IsBlocked(check.Policy) ? check.Budget.LockedUntil : null,
        check.Next.InForce?.Recovery.Remaining ?? 0);
}

[JsonSerializable(typeof(VerifyAnswer))]
internal sealed partial class VerifyAnswerJson : JsonSerializerContext;
