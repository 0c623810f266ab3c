namespace Mfa.Server.Callers.Quotas;

/// <param name="PerSecond">How many in the long run. 0 for no limit.</param>
/// <param name="Burst">How many at once after a pause.</param>
internal readonly record struct Rate(int PerSecond, int Burst);

/// <summary>What one caller may ask for, and one address get wrong, on all servers of a database together.</summary>
internal sealed record QuotaOptions
{
    /// <summary>Calls of a service. Half of what a small machine can answer, so that one caller leaves room for another.</summary>
    /// <value>0 to 1,000,000 a second, 0 for no limit. Default 5,000, at most 10,000 at once.</value>
    public Rate Calls { get; init; } = new(5_000, 10_000);

    /// <summary>Those calls of a service that submit a code or a token. <see cref="SprayOptions"/> still watches where this is off.</summary>
    /// <value>0 to 1,000,000 a second, 0 for no limit. Default 2,000, at most 4,000 at once.</value>
    public Rate Guesses { get; init; } = new(2_000, 4_000);

    /// <summary>Calls of a person.</summary>
    /// <value>1 to 1,000 a second. Default 5, at most 20 at once.</value>
    public Rate PersonCalls { get; init; } = new(5, 20);

    /// <summary>Those calls of a person that submit a code or a token.</summary>
    /// <value>1 to 1,000 a second. Default 1, at most 10 at once.</value>
    public Rate PersonGuesses { get; init; } = new(1, 10);

    /// <summary>
    /// Calls without a right credential from one address; a wrong password counts as <see cref="FailedCallers.WrongPassword"/> of them.
    /// </summary>
    /// <value>1 to 100,000 a second. Default 20, at most 1,000 at once.</value>
    public Rate Failures { get; init; } = new(20, 1_000);
}

/// <summary>
/// When wrong codes look like a spray: one guess at each of many accounts, which no budget of an account notices. Three codes
/// are right at a time, so 1,000 guesses hit once in 333 times.
/// </summary>
internal sealed record SprayOptions
{
    /// <summary>How far back wrong codes count.</summary>
    /// <value>10 seconds to 1 day. Default 5 minutes.</value>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Wrong codes of one service within the window. A service with 60 logins a second has about as many honest ones.</summary>
    /// <value>10 to 10,000,000. Default 1,000.</value>
    public int Wrong { get; init; } = 1_000;

    /// <summary>Different accounts among them. Fewer than these are held by their own locks.</summary>
    /// <value>2 to 1,000. Default 20.</value>
    public int Accounts { get; init; } = 20;

    /// <summary>Wrong codes of all callers together within the window.</summary>
    /// <value>10 to 100,000,000. Default 10,000.</value>
    public int Total { get; init; } = 10_000;

    /// <summary>How long a caller that sprays is kept from guessing.</summary>
    /// <value>1 second to 1 day. Default 5 minutes.</value>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMinutes(5);
}
