namespace Mfa.Server.Flows;

/// <summary>Why a call is not carried out. Wrong codes in Verify are no refusal: they are its answer.</summary>
internal enum RefusalKind
{
    Unspecified = 0,
    RequestIdReused,
    NotEnabled,
    AlreadyEnabled,
    EnrollmentNotFound,
    CodeRefused,
    CodeLength,
    Locked,
    Conflict,
    MethodSendsNoCode,
    NoEmail,
    TokenRefused,
    DestinationNotAllowed,
    SendLimit,
}

/// <param name="Kind">The reason.</param>
/// <param name="RetryTime">When it makes sense to come back; null when waiting does not help.</param>
/// <param name="Digits">For <see cref="RefusalKind.CodeLength"/>: how long the codes of this enrollment are.</param>
/// <param name="Limit">For <see cref="RefusalKind.SendLimit"/>: which limit.</param>
internal sealed record Refusal(RefusalKind Kind, DateTimeOffset? RetryTime = null, int Digits = 0, string Limit = "")
{
    public static Refusal Of(Domain.SendLimitHit hit) => new(RefusalKind.SendLimit, hit.RetryTime, Limit: hit.Name);
}

/// <summary>Either the answer of a flow or why there is none.</summary>
internal readonly record struct Result<T>(T? Value, Refusal? Refusal)
{
    public static implicit operator Result<T>(T value) => new(value, Refusal: null);

    public static implicit operator Result<T>(Refusal refusal) => new(default, refusal);

    public static implicit operator Result<T>(RefusalKind kind) => new(default, new Refusal(kind));
}
