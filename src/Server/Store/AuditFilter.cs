using Mfa.Server.Domain;

namespace Mfa.Server.Store;

/// <summary>Which rows of the trail are asked for; null for any.</summary>
/// <param name="Account">An account is named with its tenant.</param>
internal sealed record AuditFilter(
    string? Tenant = null, AccountKey? Account = null, string? Caller = null, DateTimeOffset? Since = null, DateTimeOffset? Until = null,
    AuditOutcome? Outcome = null);

/// <summary>A row of the trail as it is told.</summary>
internal sealed record AuditRow(
    long Seq, DateTimeOffset Time, AuditAct Act, AuditOutcome Outcome, AuditReason Reason, ProvenBy Factor, int Calls,
    string Tenant, string Account, string Caller, string Peer, Guid? Reference, string Detail, long Chain = 0);
