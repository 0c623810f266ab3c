using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Transfer;

/// <summary>A second factor as another program knew it, found fit for this one. Dispose of it: it holds the open secret.</summary>
/// <param name="Secret">Null when codes are sent.</param>
/// <param name="Proven">Whether its owner has shown a code to the other program: it is in force at once then.</param>
/// <param name="Notes">What did not come along, for the report. Without any secret.</param>
internal sealed record ForeignFactor(
    string Account, Method Method, TotpParameters Totp, OpenSecret? Secret, long LastStep, bool Proven, IReadOnlyList<string> Notes) : IDisposable
{
    public string Issuer { get; init; } = "";

    public EmailAddress? Email { get; init; }

    public PhoneNumber? Phone { get; init; }

    public string? Locale { get; init; }

    public StepRange? Spent { get; init; }

    /// <summary>Wrong codes in a row that the other program has counted.</summary>
    public int Failures { get; init; }

    public DateTimeOffset? EnableTime { get; init; }

    public IReadOnlyList<RecoveryCode> RecoveryCodes { get; init; } = [];

    public void Dispose() => Secret?.Dispose();

    public override string ToString() => nameof(ForeignFactor);
}

internal enum RowKind
{
    /// <summary>Not fit, for a reason that is a mistake in the file. Zero, so that nothing is imported that nobody judged.</summary>
    Broken = 0,

    Fit,

    /// <summary>Well formed, but of a kind that this server does not have.</summary>
    Unsupported,
}

/// <summary>One row of a file.</summary>
/// <param name="Place">Where it stands, as the report names it: `line 12`.</param>
/// <param name="Account">Empty when it is not known; as it stood in the file, so perhaps not a name.</param>
/// <param name="Cause">Why it is not fit. Never quotes the file.</param>
internal sealed record ForeignRow(string Place, string Account, RowKind Kind, string Cause, ForeignFactor? Factor)
{
    public static ForeignRow Broken(string place, string cause, string account = "") => new(place, account, RowKind.Broken, cause, Factor: null);

    public static ForeignRow Unsupported(string place, string cause, string account = "") =>
        new(place, account, RowKind.Unsupported, cause, Factor: null);

    public override string ToString() => nameof(ForeignRow);
}
