using Mfa.Server.Domain;

namespace Mfa.Server.Flows;

/// <summary>How new enrollments look and how codes are checked.</summary>
internal sealed record EnrollmentOptions
{
    /// <summary>The name of the service that authenticator apps show beside the label.</summary>
    /// <value>1 to 64 printable characters without a colon. Default "MfaGrpc".</value>
    public string Issuer { get; init; } = "MfaGrpc";

    /// <summary>What new authenticator enrollments compute codes with. The default is the one that every app supports.</summary>
    /// <value>SHA1, SHA256 or SHA512; 6 to 8 digits; steps of 15 to 60 s. Default SHA1, 6 digits, 30 s.</value>
    public TotpParameters Totp { get; init; } = new(OtpAlgorithm.Sha1, Digits: 6, PeriodSeconds: 30);

    /// <summary>
    /// Time steps accepted each way. RFC 6238 §5.2 recommends at most one; every further step makes guessing easier.
    /// </summary>
    /// <value>0 to 2, see <see cref="Domain.TotpMatch.MostTolerance"/>. Default 1.</value>
    public int ToleranceSteps { get; init; } = 1;

    /// <summary>How long an enrollment may wait for its first code.</summary>
    /// <value>60 to 86,400 s. Default 3,600 s.</value>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(1);
}

/// <summary>How many wrong codes are allowed. Recovery codes are not set here, see <see cref="Policies"/>.</summary>
internal sealed record GuessOptions
{
    /// <summary>Wrong codes in a row until a lock.</summary>
    /// <value>3 to 10. Default 5.</value>
    public int Run { get; init; } = 5;

    /// <summary>The first lock; each further one is twice as long.</summary>
    /// <value>1 to 3,600 s. Default 60 s.</value>
    public TimeSpan FirstLock { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Where the doubling stops.</summary>
    /// <value>60 to 86,400 s. Default 3,600 s.</value>
    public TimeSpan LongestLock { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Wrong codes in a row that block the factor until it is enrolled again (NIST SP 800-63B §3.2.2: at most 100).</summary>
    /// <value>10 to 100. Default 100.</value>
    public int Cap { get; init; } = 100;

    /// <summary>
    /// An enrollment has no cap: there is no factor to block yet. Recovery codes get a short lock that does not grow and a high
    /// cap: 120 bits are not guessed, and their owner must find the door open soon while someone else tries to keep it shut.
    /// </summary>
    public GuessPolicies Policies => new(
        Factor: new GuessPolicy(Run, FirstLock, LongestLock, Cap),
        Enrollment: new GuessPolicy(Run, FirstLock, LongestLock, Cap: null),
        Recovery: new GuessPolicy(Run: 5, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), Cap: 1000));
}
