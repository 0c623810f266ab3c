using Mfa.Server.Domain;

namespace Mfa.Server.Flows;

/// <summary>How a call that needed a current code fared with it.</summary>
/// <param name="Refusal">Why the call goes no further; null when it does.</param>
/// <param name="Shuts">See <see cref="CheckResult.Shuts"/>.</param>
internal sealed record Proof(CheckKind Kind, Refusal? Refusal, bool? Shuts = null)
{
    /// <summary>Compare again: the factor in force was replaced meanwhile.</summary>
    public static readonly Proof Stale = new(CheckKind.Stale, new Refusal(RefusalKind.Conflict));

    /// <summary>There was no factor in force to prove.</summary>
    public static readonly Proof NotNeeded = new(CheckKind.Accepted, Refusal: null);

    public static Proof Of(CheckResult check, DateTimeOffset now) => check.Kind switch
    {
        CheckKind.Accepted => new Proof(check.Kind, Refusal: null),
        CheckKind.Wrong or CheckKind.Used or CheckKind.Expired => new Proof(check.Kind, new Refusal(RefusalKind.CodeRefused), check.Shuts(now)),
        CheckKind.Locked => new Proof(check.Kind, new Refusal(RefusalKind.Locked, check.Budget.LockedUntil)),
        CheckKind.Blocked => new Proof(check.Kind, new Refusal(RefusalKind.Locked)),
        CheckKind.Stale => Stale,
    };
}
