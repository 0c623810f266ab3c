using Mfa.Server.Callers;
using Mfa.Server.Callers.Quotas;
using Mfa.Server.Delivery;
using Mfa.Server.Flows;
using Mfa.Server.Observability;
using Mfa.Server.Transport;
using Mfa.Server.Store;

namespace Mfa.Server;

/// <summary>
/// Everything an operator can set, by <see cref="SettingTable"/>. The defaults are safe; a value outside its range stops the
/// start.
/// </summary>
internal sealed record Settings
{
    public EnrollmentOptions Enrollment { get; init; } = new();

    public GuessOptions Guesses { get; init; } = new();

    public PasswordOptions Passwords { get; init; } = new();

    public JwtOptions Jwt { get; init; } = new();

    /// <summary>A second issuer of tokens.</summary>
    public JwtOptions SecondJwt { get; init; } = new();
    public QuotaOptions Quotas { get; init; } = new();

    public SprayOptions Spray { get; init; } = new();

    public DeliveryOptions Delivery { get; init; } = new();

    public ProviderOptions Providers { get; init; } = new();

    public TlsOptions Tls { get; init; } = new();

    public LimitOptions Limits { get; init; } = new();

    /// <summary>A connection string of Npgsql, for a PostgreSQL that servers share. Default: none, and the SQLite file of the data folder.</summary>
    public string Store { get; init; } = "";

    /// <summary>Memory that accounts are kept in, in MiB; the rest is read from the database. Default 64.</summary>
    public int CacheMebibytes { get; init; } = 64;

    /// <summary>The time server that `doctor` compares the clock with; the server itself never asks it. Default: none.</summary>
    public string ClockReference { get; init; } = "";
    public AuditOptions Audit { get; init; } = new();

    public TelemetryOptions Telemetry { get; init; } = new();

    /// <summary>Whether anyone who can connect may list the services. Default: only with --dev.</summary>
    public bool Reflection { get; init; }

    /// <summary>The least level that is logged. Default Information.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;
}
