namespace Mfa.Torture.Checking;

/// <summary>A moment on the server's clock, as far as a caller can tell: Unix milliseconds, first and last possible.</summary>
internal readonly record struct Span(long First, long Last)
{
    public static readonly Span Never = new(long.MaxValue, long.MaxValue);

    public Span Plus(TimeSpan time) => new(First + (long)time.TotalMilliseconds, Last + (long)time.TotalMilliseconds);

    /// <summary>This moment may lie after now.</summary>
    public bool MayBeAhead(Span now) => Last > now.First;

    /// <summary>This moment may be now or have passed.</summary>
    public bool MayBeOver(Span now) => First <= now.Last;
}

/// <summary>The wrong codes in a row of one kind.</summary>
internal sealed record Budget(int Failures, Span? LockedUntil)
{
    public static readonly Budget Fresh = new(0, null);
}

/// <summary>A code that was sent.</summary>
internal sealed record SentCode(string Request, Span Expires, int Tries);

/// <param name="Sends">Its codes are sent.</param>
/// <param name="Set">Which set of recovery codes.</param>
/// <param name="Used">Bit i: code i of the set is used.</param>
/// <param name="Expires">While it is pending.</param>
internal sealed record Enrolled(string Id, bool Sends, long LastStep, string Set, int Used, SentCode? Open, Span Expires);

/// <summary>A mailed token.</summary>
internal sealed record Token(string Request, Span Expires);

/// <summary>What the contract says an account is, and nothing of how a server keeps it.</summary>
internal sealed record AccountState
{
    public static readonly AccountState Unknown = new();

    public Enrolled? Factor { get; init; }

    public Enrolled? Pending { get; init; }

    public Budget FactorGuesses { get; init; } = Budget.Fresh;

    public Budget EnrollmentGuesses { get; init; } = Budget.Fresh;

    public Budget RecoveryGuesses { get; init; } = Budget.Fresh;

    public Token? Token { get; init; }
}

/// <summary>The settings that the rules depend on.</summary>
internal sealed record Rules
{
    public int Run { get; init; } = 5;

    public TimeSpan FirstLock { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongestLock { get; init; } = TimeSpan.FromSeconds(60);

    public int Cap { get; init; } = 20;

    public int PeriodSeconds { get; init; } = 15;

    public int ToleranceSteps { get; init; } = 2;

    public TimeSpan EnrollmentLifetime { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan CodeLifetime { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long an answer is remembered.</summary>
    public TimeSpan RequestLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The server that keeps to them.</summary>
    public string[] Settings =>
    [
        $"guesses:run={Run}", $"guesses:cap={Cap}", $"guesses:firstLockSeconds={FirstLock.TotalSeconds}",
        $"guesses:longestLockSeconds={LongestLock.TotalSeconds}", $"enrollment:periodSeconds={PeriodSeconds}",
        $"enrollment:toleranceSteps={ToleranceSteps}", $"enrollment:lifetimeSeconds={EnrollmentLifetime.TotalSeconds}",
        $"messages:codeLifetimeSeconds={CodeLifetime.TotalSeconds}",
    ];
}
