namespace Mfa.Server.Store;

/// <summary>How long the audit trail reaches back, and how much of it strangers can write.</summary>
internal sealed record AuditOptions
{
    /// <summary>How long a row is kept.</summary>
    /// <value>1 to 36,500 days. Default 400 days: a year and time to look at it.</value>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(400);

    /// <summary>Rows a second about refused calls of one address and reason; further ones are counted in the next row.</summary>
    /// <value>1 to 1,000. Default 5.</value>
    public int RefusedRowsPerSecond { get; init; } = 5;
}
