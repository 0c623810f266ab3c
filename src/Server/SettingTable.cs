using Mfa.Server.Callers;
using Mfa.Server.Callers.Quotas;
using Mfa.Server.Delivery;
using Mfa.Server.Doctor;
using Mfa.Server.Domain;
using Mfa.Server.Flows;
using Mfa.Server.Observability;
using Mfa.Server.Store.Postgres;
using Mfa.Server.Transport;
using static Mfa.Server.Setting;

namespace Mfa.Server;

/// <summary>The whole list of settings, in one place: what is not here is an unknown setting.</summary>
internal static class SettingTable
{
    private const string SafeUrl = "an https address, or http on loopback";

    private static readonly string[] NoticeNames = [.. Enum.GetValues<Notice>().Select(Outgoing.NameOf)];

    public static readonly IReadOnlyList<Setting> All =
    [
        .. Checking(),
        .. Limits(),
        .. Sending(),
        .. Smtp("smtp", p => p.Smtp, (p, smtp) => p with { Smtp = smtp }),
        .. Smtp("smtp2", p => p.SecondSmtp, (p, smtp) => p with { SecondSmtp = smtp }),
        .. Sms(),
        .. Jwt("jwt", s => s.Jwt, (s, jwt) => s with { Jwt = jwt }),
        .. Jwt("jwt2", s => s.SecondJwt, (s, jwt) => s with { SecondJwt = jwt }),
        .. Transport(),
        Text("store:connection", PostgresAddress.Accepted, _ => true, (s, text) => s with { Store = text }), // refused where no password is told
        Number("store:cacheMiB", 0, 16_384, "MiB", (s, n) => s with { CacheMebibytes = n }),
        Text("doctor:clock", "a time server, such as pool.ntp.org or ntp.example.org:123", TimeServer.IsReference, (s, text) => s with { ClockReference = text }),
        Number("audit:retentionDays", 1, 36_500, "days", (s, n) => s with { Audit = s.Audit with { Retention = TimeSpan.FromDays(n) } }),
        Number("audit:refusedRowsPerSecond", 1, 1_000, "rows", (s, n) => s with { Audit = s.Audit with { RefusedRowsPerSecond = n } }),
        .. Watching(),
        Flag("server:reflection", (s, on) => s with { Reflection = on }),
        new("log:level", "Trace, Debug, Information, Warning or Error", (s, text) =>
            Enum.TryParse<LogLevel>(text, ignoreCase: true, out var level) && level <= LogLevel.Error && char.IsAsciiLetter(text[0])
                ? s with { LogLevel = level }
                : null),
    ];

    private static Setting[] Watching() =>
    [
        Flag("telemetry:prometheus", (s, on) => With(s, s.Telemetry with { Prometheus = on })),
        Text("telemetry:otlp", SafeUrl, IsSafeUrl, (s, text) => With(s, s.Telemetry with { Otlp = text })),
        Text("telemetry:otlpProtocol", "grpc or http", text => text is "grpc" or "http", (s, text) =>
            With(s, s.Telemetry with { OtlpByGrpc = text == "grpc" })),
        Number("telemetry:tracePercent", 0, 100, "of a hundred calls", (s, n) => With(s, s.Telemetry with { TracePercent = n })),
        Seconds("telemetry:countSeconds", 10, 604_800, "", (s, t) => With(s, s.Telemetry with { CountEvery = t })),
    ];

    private static Setting[] Checking() =>
    [
        Text("enrollment:issuer", KeyUri.AcceptedLabel, KeyUri.IsLabel, (s, text) => s with { Enrollment = s.Enrollment with { Issuer = text } }),
        new("enrollment:algorithm", "SHA1, SHA256 or SHA512", (s, text) =>
            AlgorithmOf(text) is { } a ? WithTotp(s, s.Enrollment.Totp with { Algorithm = a }) : null),
        Number("enrollment:digits", TotpParameters.FewestDigits, TotpParameters.MostDigits, "digits", (s, n) => WithTotp(s, s.Enrollment.Totp with { Digits = n })),
        Number("enrollment:periodSeconds", TotpParameters.ShortestPeriod, TotpParameters.LongestPeriod, "seconds", (s, n) => WithTotp(s, s.Enrollment.Totp with { PeriodSeconds = n })),
        Number("enrollment:toleranceSteps", 0, TotpMatch.MostTolerance, "time steps each way", (s, n) => s with { Enrollment = s.Enrollment with { ToleranceSteps = n } }),
        Seconds("enrollment:lifetimeSeconds", 60, 86_400, "", (s, t) => s with { Enrollment = s.Enrollment with { Lifetime = t } }),
        Number("guesses:run", 3, 10, "wrong codes in a row", (s, n) => s with { Guesses = s.Guesses with { Run = n } }),
        Seconds("guesses:firstLockSeconds", 1, 3_600, "", (s, t) => s with { Guesses = s.Guesses with { FirstLock = t } }),
        Seconds("guesses:longestLockSeconds", 60, 86_400, "", (s, t) => s with { Guesses = s.Guesses with { LongestLock = t } }),
        Number("guesses:cap", 10, 100, "wrong codes in a row", (s, n) => s with { Guesses = s.Guesses with { Cap = n } }),
        Number("passwords:rounds", 210_000, 10_000_000, "rounds", (s, n) => s with { Passwords = s.Passwords with { Rounds = n } }),
        Number("passwords:parallel", 1, 64, "checks at a time", (s, n) => s with { Passwords = s.Passwords with { Parallel = n } }),
        Number("passwords:queue", 0, 1_000, "waiting checks", (s, n) => s with { Passwords = s.Passwords with { Queue = n } }),
        Number("passwords:perPeer", 1, 1_000, "checks of one address", (s, n) => s with { Passwords = s.Passwords with { PerPeer = n } }),
        Number("passwords:perName", 1, 1_000, "checks of one name", (s, n) => s with { Passwords = s.Passwords with { PerName = n } }),
    ];

    private static Setting[] Limits() =>
    [
        .. Quota("calls", 0, 1, 1_000_000, q => q.Calls, (q, rate) => q with { Calls = rate }),
        .. Quota("guesses", 0, 1, 1_000_000, q => q.Guesses, (q, rate) => q with { Guesses = rate }),
        .. Quota("personCalls", 1, 1, 1_000, q => q.PersonCalls, (q, rate) => q with { PersonCalls = rate }),
        .. Quota("personGuesses", 1, 1, 1_000, q => q.PersonGuesses, (q, rate) => q with { PersonGuesses = rate }),
        .. Quota("failures", 1, FailedCallers.WrongPassword, 100_000, q => q.Failures, (q, rate) => q with { Failures = rate }),
        Seconds("spray:windowSeconds", 10, 86_400, "", (s, t) => s with { Spray = s.Spray with { Window = t } }),
        Number("spray:wrong", 10, 10_000_000, "wrong codes of one caller", (s, n) => s with { Spray = s.Spray with { Wrong = n } }),
        Number("spray:accounts", 2, 1_000, "accounts", (s, n) => s with { Spray = s.Spray with { Accounts = n } }),
        Number("spray:total", 10, 100_000_000, "wrong codes of all callers", (s, n) => s with { Spray = s.Spray with { Total = n } }),
        Seconds("spray:pauseSeconds", 1, 86_400, "", (s, t) => s with { Spray = s.Spray with { Pause = t } }),
    ];

    private static Setting[] Quota(
        string what, int leastRate, int leastBurst, int most, Func<QuotaOptions, Rate> get, Func<QuotaOptions, Rate, QuotaOptions> set)
    {
        Settings With(Settings s, Func<Rate, Rate> change) => s with { Quotas = set(s.Quotas, change(get(s.Quotas))) };

        return
        [
            Number($"quota:{what}PerSecond", leastRate, most, leastRate == 0 ? "a second, 0 for no limit" : "a second", (s, n) =>
                With(s, rate => rate with { PerSecond = n })),
            Number($"quota:{what}Burst", leastBurst, most, "at once", (s, n) => With(s, rate => rate with { Burst = n })),
        ];
    }

    private static Setting[] Sending() =>
    [
        Seconds("messages:codeLifetimeSeconds", 60, 600, "", (s, t) => With(s, s.Delivery with { CodeLifetime = t })),
        Text("messages:language", "a language of two letters that there are texts in", text => text.Length == 2, (s, text) =>
            With(s, s.Delivery with { Language = text })),
        Text("messages:region", "a region of two letters, such as CA", IsRegion, (s, text) => With(s, s.Delivery with { Region = text })),
        List("messages:regions", "regions of two letters that SMS may go to", IsRegion, (s, regions) => With(s, s.Delivery with { Regions = regions })),
        Text("messages:domain", "a domain name", text => Uri.CheckHostName(text) == UriHostNameType.Dns, (s, text) =>
            With(s, s.Delivery with { Domain = text })),
        Text("messages:disablePage", "an address without a fragment", IsUrl, (s, text) => With(s, s.Delivery with { DisablePage = text })),
        Text("messages:folder", "a folder", _ => true, (s, text) => With(s, s.Delivery with { TextFolder = text })),
        List("messages:mute", $"notices not to send: {string.Join(", ", NoticeNames)}", NoticeNames.Contains, (s, muted) =>
            With(s, s.Delivery with { MutedNotices = muted })),
        Flag("sends:enabled", (s, on) => With(s, s.Delivery with { Enabled = on })),
        Seconds("sends:gapSeconds", 0, 3_600, "between messages to an account", (s, t) => With(s, s.Delivery with { AccountGap = t })),
        Number("sends:perAccountHour", 1, 1_000, "messages", (s, n) => With(s, s.Delivery with { PerAccountHour = n })),
        Number("sends:perDestinationDay", 1, 10_000, "messages", (s, n) => With(s, s.Delivery with { PerDestinationDay = n })),
        Number("sends:perCallerDay", 1, 10_000_000, "messages", (s, n) => With(s, s.Delivery with { PerCallerDay = n })),
        Number("sends:perDay", 1, 100_000_000, "messages", (s, n) => With(s, s.Delivery with { PerDay = n })),
    ];

    private static Setting[] Smtp(string section, Func<ProviderOptions, SmtpOptions> get, Func<ProviderOptions, SmtpOptions, ProviderOptions> set)
    {
        Settings With(Settings s, Func<SmtpOptions, SmtpOptions> change) => s with { Providers = set(s.Providers, change(get(s.Providers))) };

        return
        [
            Text($"{section}:host", "a host name", text => Uri.CheckHostName(text) != UriHostNameType.Unknown, (s, text) =>
                With(s, o => o with { Host = text })),
            Number($"{section}:port", 1, 65_535, "", (s, n) => With(s, o => o with { Port = n })),
            Flag($"{section}:implicitTls", (s, on) => With(s, o => o with { ImplicitTls = on })),
            Text($"{section}:user", "a login name", _ => true, (s, text) => With(s, o => o with { User = text })),
            Text($"{section}:passwordFile", "a file", _ => true, (s, text) => With(s, o => o with { PasswordFile = text })),
            Text($"{section}:from", EmailAddress.Accepted, text => EmailAddress.Parse(text) is not null, (s, text) =>
                With(s, o => o with { From = text })),
            Text($"{section}:caFile", "a PEM file", _ => true, (s, text) => With(s, o => o with { CaFile = text })),
        ];
    }

    private static Setting[] Sms() =>
    [
        Text("kannel:url", SafeUrl, IsSafeUrl, (s, text) => With(s, s.Providers.Kannel with { Url = text })),
        Text("kannel:user", "a login name", _ => true, (s, text) => With(s, s.Providers.Kannel with { User = text })),
        Text("kannel:passwordFile", "a file", _ => true, (s, text) => With(s, s.Providers.Kannel with { PasswordFile = text })),
        Text("kannel:from", "a sender", _ => true, (s, text) => With(s, s.Providers.Kannel with { From = text })),
        Text("twilio:url", SafeUrl, IsSafeUrl, (s, text) => With(s, s.Providers.Twilio with { Url = text })),
        Text("twilio:account", "an account SID", _ => true, (s, text) => With(s, s.Providers.Twilio with { Account = text })),
        Text("twilio:tokenFile", "a file", _ => true, (s, text) => With(s, s.Providers.Twilio with { TokenFile = text })),
        Text("twilio:from", "a number or sender id", _ => true, (s, text) => With(s, s.Providers.Twilio with { From = text })),
        List("sms:order", "kannel and twilio", name => name is "kannel" or "twilio", (s, order) =>
            s with { Providers = s.Providers with { SmsOrder = order } }),
    ];

    private static Setting[] Jwt(string section, Func<Settings, JwtOptions> get, Func<Settings, JwtOptions, Settings> set)
    {
        Settings With(Settings s, Func<JwtOptions, JwtOptions> change) => set(s, change(get(s)));

        Setting Claim(string key, Func<JwtOptions, string, JwtOptions> change) => Text(
            $"{section}:{key}", "the name of a claim", text => text.Trim().Length > 0, (s, text) => With(s, o => change(o, text)));

        return
        [
            Text($"{section}:issuer", "the issuer's exact iss", IsWord, (s, text) => With(s, o => o with { Issuer = text })),
            Text($"{section}:audience", "what aud must name", IsWord, (s, text) => With(s, o => o with { Audience = text })),
            Text($"{section}:keysFile", "a file", _ => true, (s, text) => With(s, o => o with { KeysFile = text })),
            Text($"{section}:keysUrl", SafeUrl, IsSafeUrl, (s, text) => With(s, o => o with { KeysUrl = text })),
            List($"{section}:algorithms", JwtOptions.AcceptedAlgorithms, JwtOptions.IsAlgorithm, (s, names) =>
                With(s, o => o with { Algorithms = names })),
            Text($"{section}:tenant", AccountKey.AcceptedName, AccountKey.IsName, (s, text) => With(s, o => o with { Tenant = text })),
            Claim("tenantClaim", (o, text) => o with { TenantClaim = text }),
            Claim("scopeClaim", (o, text) => o with { ScopeClaim = text }),
            Text($"{section}:scopePrefix", "a text without blanks", IsWord, (s, text) => With(s, o => o with { ScopePrefix = text })),
            Claim("nameClaim", (o, text) => o with { NameClaim = text }),
            Seconds($"{section}:refreshSeconds", 1, 86_400, "", (s, t) => With(s, o => o with { Refresh = t })),
            Seconds($"{section}:keepSeconds", 10, 604_800, "", (s, t) => With(s, o => o with { Keep = t })),
        ];
    }

    private static Setting[] Transport() =>
    [
        Text("tls:certificateFile", "a PEM file", _ => true, (s, text) => s with { Tls = s.Tls with { CertificateFile = text } }),
        Text("tls:keyFile", "a PEM file", _ => true, (s, text) => s with { Tls = s.Tls with { KeyFile = text } }),
        Text("tls:clientCaFile", "a PEM file", _ => true, (s, text) => s with { Tls = s.Tls with { ClientCaFile = text } }),
        Number("limits:messageBytes", 4_096, 1_048_576, "bytes", (s, n) => With(s, s.Limits with { MessageBytes = n })),
        Number("limits:headers", 16, 256, "headers", (s, n) => With(s, s.Limits with { Headers = n })),
        Number("limits:headerBytes", 4_096, 65_536, "bytes", (s, n) => With(s, s.Limits with { HeaderBytes = n })),
        Number("limits:streams", 1, 1_000, "calls on a connection", (s, n) => With(s, s.Limits with { Streams = n })),
        Number("limits:connections", 1, 100_000, "connections", (s, n) => With(s, s.Limits with { Connections = n })),
        Number("limits:connectionsPerPeer", 1, 100_000, "connections", (s, n) => With(s, s.Limits with { ConnectionsPerPeer = n })),
        Seconds("limits:idleSeconds", 5, 3_600, "", (s, t) => With(s, s.Limits with { Idle = t })),
        Seconds("limits:pingSeconds", 1, 3_600, "", (s, t) => With(s, s.Limits with { Ping = t })),
        Seconds("limits:handshakeSeconds", 1, 60, "", (s, t) => With(s, s.Limits with { Handshake = t })),
        Seconds("limits:headerSeconds", 1, 60, "", (s, t) => With(s, s.Limits with { HeaderTime = t })),
        Seconds("limits:bodySeconds", 2, 60, "", (s, t) => With(s, s.Limits with { BodyTime = t })),
        Seconds("limits:graceSeconds", 1, 300, "", (s, t) => With(s, s.Limits with { Grace = t })),
    ];

    private static Settings With(Settings settings, TelemetryOptions telemetry) => settings with { Telemetry = telemetry };

    private static Settings With(Settings settings, LimitOptions limits) => settings with { Limits = limits };

    private static Settings With(Settings settings, DeliveryOptions delivery) => settings with { Delivery = delivery };

    private static Settings With(Settings settings, KannelOptions kannel) => settings with { Providers = settings.Providers with { Kannel = kannel } };

    private static Settings With(Settings settings, TwilioOptions twilio) => settings with { Providers = settings.Providers with { Twilio = twilio } };

    private static Settings WithTotp(Settings settings, TotpParameters totp) =>
        settings with { Enrollment = settings.Enrollment with { Totp = totp } };

    private static bool IsWord(string text) => text.Length > 0 && !text.Any(char.IsWhiteSpace);

    private static bool IsRegion(string text) => text.Length == 2 && text.All(char.IsAsciiLetterUpper);

    public static bool IsUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Fragment.Length == 0;

    /// <summary>Codes and passwords go there.</summary>
    private static bool IsSafeUrl(string text) =>
        IsUrl(text) && new Uri(text) is var url && (url.Scheme == Uri.UriSchemeHttps || url.IsLoopback);

    private static OtpAlgorithm? AlgorithmOf(string text) => text.ToUpperInvariant() switch
    {
        "SHA1" => OtpAlgorithm.Sha1,
        "SHA256" => OtpAlgorithm.Sha256,
        "SHA512" => OtpAlgorithm.Sha512,
        _ => null,
    };
}
