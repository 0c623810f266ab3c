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

    public ProviderOptions Providers { get; init; } = new();

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
    private static readonly string[] NoticeNames = [.. Enum.GetValues<Notice>().Select(Outgoing.NameOf)];

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
        Number("messages:codeLifetimeSeconds", 60, 600, "seconds", (s, n) => With(s, s.Delivery with { CodeLifetime = TimeSpan.FromSeconds(n) })),
        new("messages:region", "a region of two letters, such as CA", (s, text) =>
            IsRegion(text) ? With(s, s.Delivery with { Region = text, Regions = s.Delivery.Regions is [var only] && only == s.Delivery.Region ? [text] : s.Delivery.Regions }) : null),
        new("messages:regions", "regions of two letters that SMS may go to, separated by commas", (s, text) =>
            text.Split(',') is var regions && regions.All(IsRegion) ? With(s, s.Delivery with { Regions = regions }) : null),
        new("messages:domain", "a domain name", (s, text) =>
            Uri.CheckHostName(text) == UriHostNameType.Dns ? With(s, s.Delivery with { Domain = text }) : null),
        new("messages:disablePage", "an address without a fragment", (s, text) => IsUrl(text) ? With(s, s.Delivery with { DisablePage = text }) : null),
        new("messages:serviceDisablePage", "an address without a fragment", (s, text) => IsUrl(text) ? With(s, s.Delivery with { ServiceDisablePage = text }) : null),
        new("messages:folder", "a folder", (s, text) => With(s, s.Delivery with { TextFolder = text })),
        new("messages:mute", $"notices not to send, separated by commas: {string.Join(", ", NoticeNames)}", (s, text) =>
            text.Split(',') is var muted && muted.All(NoticeNames.Contains) ? With(s, s.Delivery with { MutedNotices = muted }) : null),
        new("sends:enabled", "true or false", (s, text) => bool.TryParse(text, out var on) ? With(s, s.Delivery with { Enabled = on }) : null),
        Number("sends:gapSeconds", 0, 3_600, "seconds between messages to an account", (s, n) => With(s, s.Delivery with { AccountGap = TimeSpan.FromSeconds(n) })),
        Number("sends:perAccountHour", 1, 1_000, "messages", (s, n) => With(s, s.Delivery with { PerAccountHour = n })),
        Number("sends:perDestinationDay", 1, 10_000, "messages", (s, n) => With(s, s.Delivery with { PerDestinationDay = n })),
        Number("sends:perCallerDay", 1, 10_000_000, "messages", (s, n) => With(s, s.Delivery with { PerCallerDay = n })),
        Number("sends:perDay", 1, 100_000_000, "messages", (s, n) => With(s, s.Delivery with { PerDay = n })),
        new("smtp:host", "a host name", (s, text) => With(s, s.Providers.Smtp with { Host = text })),
        Number("smtp:port", 1, 65_535, "", (s, n) => With(s, s.Providers.Smtp with { Port = n })),
        new("smtp:implicitTls", "true or false", (s, text) => bool.TryParse(text, out var on) ? With(s, s.Providers.Smtp with { ImplicitTls = on }) : null),
        new("smtp:user", "a login name", (s, text) => With(s, s.Providers.Smtp with { User = text })),
        new("smtp:passwordFile", "a file", (s, text) => With(s, s.Providers.Smtp with { PasswordFile = text })),
        new("smtp:from", EmailAddress.Accepted, (s, text) => EmailAddress.Parse(text) is null ? null : With(s, s.Providers.Smtp with { From = text })),
        new("smtp:caFile", "a PEM file", (s, text) => With(s, s.Providers.Smtp with { CaFile = text })),
        new("kannel:url", "an http address", (s, text) => IsUrl(text) ? With(s, s.Providers.Kannel with { Url = text }) : null),
        new("kannel:user", "a login name", (s, text) => With(s, s.Providers.Kannel with { User = text })),
        new("kannel:passwordFile", "a file", (s, text) => With(s, s.Providers.Kannel with { PasswordFile = text })),
        new("kannel:from", "a sender", (s, text) => With(s, s.Providers.Kannel with { From = text })),
        new("twilio:url", "an http address", (s, text) => IsUrl(text) ? With(s, s.Providers.Twilio with { Url = text }) : null),
        new("twilio:account", "an account SID", (s, text) => With(s, s.Providers.Twilio with { Account = text })),
        new("twilio:tokenFile", "a file", (s, text) => With(s, s.Providers.Twilio with { TokenFile = text })),
        new("twilio:from", "a number or sender id", (s, text) => With(s, s.Providers.Twilio with { From = text })),
        new("sms:order", "kannel and twilio, separated by a comma", (s, text) =>
            text.Split(',') is var order && order.All(n => n is "kannel" or "twilio") ? s with { Providers = s.Providers with { SmsOrder = order } } : null),
        new("server:reflection", "true or false", (s, text) => bool.TryParse(text, out var on) ? s with { Reflection = on } : null),
        new("log:level", "Trace, Debug, Information, Warning or Error", (s, text) =>
            LevelOf(text) is { } level ? s with { LogLevel = level } : null),
    ];

    private static Setting Number(string name, int least, int most, string unit, Func<Settings, int, Settings> apply) =>
        new(name, $"{least} to {most} {unit}", (settings, text) =>
            int.TryParse(text, System.Globalization.NumberStyles.None, null, out var number) && number >= least && number <= most
                ? apply(settings, number)
                : null);

    private static Settings With(Settings settings, DeliveryOptions delivery) => settings with { Delivery = delivery };

    private static Settings With(Settings settings, SmtpOptions smtp) => settings with { Providers = settings.Providers with { Smtp = smtp } };

    private static Settings With(Settings settings, KannelOptions kannel) => settings with { Providers = settings.Providers with { Kannel = kannel } };

    private static Settings With(Settings settings, TwilioOptions twilio) => settings with { Providers = settings.Providers with { Twilio = twilio } };

    private static bool IsRegion(string text) => text.Length == 2 && text.All(char.IsAsciiLetterUpper);

    private static bool IsUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Fragment.Length == 0;

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
