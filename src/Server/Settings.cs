using Mfa.Server.Callers;
using Mfa.Server.Delivery;
using Mfa.Server.Domain;
using Mfa.Server.Flows;

namespace Mfa.Server;

/// <summary>Everything an operator can set. The defaults are safe; a value outside its range stops the start.</summary>
internal sealed record Settings
{
    public EnrollmentOptions Enrollment { get; init; } = new();

    public GuessOptions Guesses { get; init; } = new();

    public PasswordOptions Passwords { get; init; } = new();

    public DeliveryOptions Delivery { get; init; } = new();

    /// <summary>Whether anyone who can connect may list the services. Default: only with --dev.</summary>
    public bool Reflection { get; init; }

    /// <summary>The least level that is logged. Default Information.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;
}

/// <summary>One setting: its name, what it accepts, and how it changes <see cref="Settings"/>.</summary>
/// <param name="Name">section:key, compared without regard to case.</param>
/// <param name="Accepts">The allowed values, in words.</param>
/// <param name="Apply">Null when the text is not accepted.</param>
internal sealed record Setting(string Name, string Accepts, Func<Settings, string, Settings?> Apply)
{
    /// <summary>The whole list, in one place: what is not here is an unknown setting.</summary>
    public static readonly IReadOnlyList<Setting> All =
    [
        new("enrollment:issuer", KeyUri.AcceptedLabel, (s, text) => KeyUri.IsLabel(text) ? s with { Enrollment = s.Enrollment with { Issuer = text } } : null),
        new("enrollment:algorithm", "SHA1, SHA256 or SHA512", (s, text) => AlgorithmOf(text) is { } a ? WithTotp(s, s.Enrollment.Totp with { Algorithm = a }) : null),
        Number("enrollment:digits", 6, 8, "digits", (s, n) => WithTotp(s, s.Enrollment.Totp with { Digits = n })),
        Number("enrollment:periodSeconds", 15, 60, "seconds", (s, n) => WithTotp(s, s.Enrollment.Totp with { PeriodSeconds = n })),
        Number("enrollment:toleranceSteps", 0, 2, "time steps each way", (s, n) => s with { Enrollment = s.Enrollment with { ToleranceSteps = n } }),
        Number("enrollment:lifetimeSeconds", 60, 86_400, "seconds", (s, n) => s with { Enrollment = s.Enrollment with { Lifetime = TimeSpan.FromSeconds(n) } }),
        Number("guesses:run", 3, 10, "wrong codes in a row", (s, n) => s with { Guesses = s.Guesses with { Run = n } }),
        Number("guesses:firstLockSeconds", 1, 3_600, "seconds", (s, n) => s with { Guesses = s.Guesses with { FirstLock = TimeSpan.FromSeconds(n) } }),
        Number("guesses:longestLockSeconds", 60, 86_400, "seconds", (s, n) => s with { Guesses = s.Guesses with { LongestLock = TimeSpan.FromSeconds(n) } }),
        Number("guesses:cap", 10, 100, "wrong codes in a row", (s, n) => s with { Guesses = s.Guesses with { Cap = n } }),
        Number("passwords:rounds", 210_000, 10_000_000, "rounds", (s, n) => s with { Passwords = s.Passwords with { Rounds = n } }),
        Number("passwords:parallel", 1, 64, "checks at a time", (s, n) => s with { Passwords = s.Passwords with { Parallel = n } }),
        Number("passwords:queue", 0, 1_000, "waiting checks", (s, n) => s with { Passwords = s.Passwords with { Queue = n } }),
        new("server:reflection", "true or false", (s, text) => bool.TryParse(text, out var on) ? s with { Reflection = on } : null),
        new("log:level", "Trace, Debug, Information, Warning or Error", (s, text) =>
            LevelOf(text) is { } level ? s with { LogLevel = level } : null),
    ];

    private static Setting Number(string name, int least, int most, string unit, Func<Settings, int, Settings> apply) =>
        new(name, $"{least} to {most} {unit}", (settings, text) =>
            int.TryParse(text, System.Globalization.NumberStyles.None, null, out var number) && number >= least && number <= most
                ? apply(settings, number)
                : null);

    private static Settings WithTotp(Settings settings, TotpParameters totp) =>
        settings with { Enrollment = settings.Enrollment with { Totp = totp } };

    private static OtpAlgorithm? AlgorithmOf(string text) => text.ToUpperInvariant() switch
    {
        "SHA1" => OtpAlgorithm.Sha1,
        "SHA256" => OtpAlgorithm.Sha256,
        "SHA512" => OtpAlgorithm.Sha512,
        _ => null,
    };

    private static LogLevel? LevelOf(string text) => text.ToUpperInvariant() switch
    {
        "TRACE" => Microsoft.Extensions.Logging.LogLevel.Trace,
        "DEBUG" => Microsoft.Extensions.Logging.LogLevel.Debug,
        "INFORMATION" => Microsoft.Extensions.Logging.LogLevel.Information,
        "WARNING" => Microsoft.Extensions.Logging.LogLevel.Warning,
        "ERROR" => Microsoft.Extensions.Logging.LogLevel.Error,
        _ => null,
    };
}
