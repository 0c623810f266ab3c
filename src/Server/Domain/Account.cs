namespace Mfa.Server.Domain;

/// <summary>The second factor of one account: what is loaded, decided on and saved as a whole.</summary>
internal sealed record Account(AccountKey Key)
{
    /// <summary>Counts the saves; 0 for an account that was never saved. The save is conditional on it.</summary>
    public long Version { get; init; }

    /// <summary>The factor in force.</summary>
    public Enrollment? InForce { get; init; }

    /// <summary>An enrollment that waits for its first code. Proves nothing.</summary>
    public Enrollment? Pending { get; init; }

    public DateTimeOffset? PendingExpireTime { get; init; }

    public DateTimeOffset? EnableTime { get; init; }

    public DateTimeOffset? DisableTime { get; init; }

    public GuessBudget FactorGuesses { get; init; }

    public GuessBudget EnrollmentGuesses { get; init; }

    public GuessBudget RecoveryGuesses { get; init; }

    /// <summary>The newest token that may switch the factor in force off.</summary>
    public DisableToken? DisableToken { get; init; }

    /// <summary>The pending enrollment, unless its time is over: an expired one is as good as none.</summary>
    public Enrollment? PendingAt(DateTimeOffset now) => PendingExpireTime > now ? Pending : null;
}

/// <summary>One enrollment, from its start through its time as the factor in force.</summary>
/// <param name="Id">Random; binds the secret to this enrollment.</param>
/// <param name="Totp">How codes are computed; for codes that are sent only their length matters.</param>
/// <param name="Secret">The shared secret, sealed. Only for <see cref="Method.Authenticator"/>.</param>
/// <param name="LastStep">The newest time step that was accepted; only later ones are (RFC 6238 §5.2).</param>
/// <param name="Email">Where notices and disable tokens go and, for <see cref="Method.Email"/>, codes; sealed.</param>
/// <param name="Phone">Where codes go for <see cref="Method.Sms"/>; sealed.</param>
/// <param name="Locale">The language of messages, BCP 47; null for the server's default.</param>
/// <param name="OpenCode">The code that was sent last, until it is used, voided or out of tries.</param>
/// <param name="Spent">Steps after the last one that may have been accepted while the clock was wrong; null for none.</param>
internal sealed record Enrollment(
    Guid Id,
    Method Method,
    TotpParameters Totp,
    SealedBytes? Secret,
    long LastStep,
    RecoverySet Recovery,
    SealedBytes? Email,
    SealedBytes? Phone = null,
    string? Locale = null,
    SentCode? OpenCode = null,
    StepRange? Spent = null)
{
    /// <summary>Where its codes are sent; null when an app computes them.</summary>
    public SealedBytes? Destination => Method switch
    {
        Method.Email => Email,
        Method.Sms => Phone,
        Method.Authenticator or Method.Unspecified => null,
    };

    /// <summary>What its codes prove.</summary>
    public ProvenBy ProvenBy => Method switch
    {
        Method.Email => ProvenBy.Email,
        Method.Authenticator => ProvenBy.Authenticator,
        Method.Sms => ProvenBy.Sms,
        Method.Unspecified => ProvenBy.Unspecified,
    };
}

/// <summary>Time steps, both ends included.</summary>
internal sealed record StepRange(long From, long To)
{
    public bool Holds(long step) => step >= From && step <= To;
}

/// <summary>The stored side of a set of recovery codes.</summary>
/// <param name="Id">Random; bound into the hashes, so that a set of another account or an older set matches nothing.</param>
/// <param name="KeyId">The ring key of the hashes.</param>
/// <param name="Hashes">One keyed hash a code, in the order the codes were shown.</param>
/// <param name="Used">Bit i is set once code i was used.</param>
/// <param name="Stale">It came out of a backup: which codes were used since is not known, and its owner should make a new set.</param>
internal sealed record RecoverySet(Guid Id, uint KeyId, byte[] Hashes, byte Used, bool Stale = false)
{
    public int Remaining => RecoveryCode.PerAccount - int.PopCount(Used);

    public bool IsUsed(int position) => (Used & (1 << position)) != 0;

    public RecoverySet With(int usedPosition) => this with { Used = (byte)(Used | (1 << usedPosition)) };
}
