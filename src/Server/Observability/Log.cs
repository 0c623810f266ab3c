using Mfa.Server.Domain;

namespace Mfa.Server.Observability;

/// <summary>
/// Every message the server logs. None takes a code, a key, a token or an address. Ids are grouped by room (1xxx Services,
/// 2xxx Flows, 3xxx Store, 4xxx Callers, 5xxx host, 6xxx Delivery); a retired id is never used again.
/// </summary>
internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Error, "{Rpc} failed")]
    public static partial void CallFailed(this ILogger log, Exception why, string rpc);

    [LoggerMessage(1002, LogLevel.Warning, "{Rpc}: the store is unavailable")]
    public static partial void StoreUnavailable(this ILogger log, Exception why, string rpc);

    [LoggerMessage(2001, LogLevel.Debug, "Verdict on {Tenant}/{Account} for {Caller}: {Factor} {Kind}")]
    public static partial void Verdict(this ILogger log, string tenant, string account, string caller, ProvenBy factor, CheckKind kind);

    [LoggerMessage(2002, LogLevel.Information, "Enrollment of {Tenant}/{Account} by {Caller}: {Method} {Kind}")]
    public static partial void Enrollment(this ILogger log, string tenant, string account, string caller, Method method, CheckKind kind);

    [LoggerMessage(2003, LogLevel.Information, "Recovery codes of {Tenant}/{Account} by {Caller}: {Kind}")]
    public static partial void RecoveryCodes(this ILogger log, string tenant, string account, string caller, CheckKind kind);

    [LoggerMessage(2004, LogLevel.Information, "Code for {Tenant}/{Account} queued by {Caller}: {Method}")]
    public static partial void CodeQueued(this ILogger log, string tenant, string account, string caller, Method method);

    [LoggerMessage(2005, LogLevel.Information, "Token to switch {Tenant}/{Account} off queued by {Caller}")]
    public static partial void DisableAsked(this ILogger log, string tenant, string account, string caller);

    [LoggerMessage(2006, LogLevel.Information, "Switching {Tenant}/{Account} off by {Caller}: {Done}")]
    public static partial void Disabled(this ILogger log, string tenant, string account, string caller, bool done);

    [LoggerMessage(2101, LogLevel.Information, "Audit checkpoint {Checkpoint}")]
    public static partial void AuditCheckpoint(this ILogger log, string checkpoint);

    [LoggerMessage(2102, LogLevel.Error, "The audit trail was found altered and begins anew; see: mfa-server audit verify")]
    public static partial void AuditTrailBroken(this ILogger log);

    [LoggerMessage(2103, LogLevel.Error, "{Calls} refused calls could not be put into the audit trail")]
    public static partial void RefusalNotAudited(this ILogger log, Exception why, int calls);

    [LoggerMessage(3001, LogLevel.Information, "Removed {Enrollments} expired enrollments, {Answers} expired answers and {Messages} old message records")]
    public static partial void Swept(this ILogger log, int enrollments, int answers, int messages);

    [LoggerMessage(3002, LogLevel.Warning, "Could not sweep; the next round tries again")]
    public static partial void SweepFailed(this ILogger log, Exception why);

    [LoggerMessage(3003, LogLevel.Warning, "Could not count for the metrics; the next round tries again")]
    public static partial void NotCounted(this ILogger log, Exception why);

    [LoggerMessage(5101, LogLevel.Information, "TLS shows the certificate {Subject}, valid until {End:u}")]
    public static partial void CertificateServed(this ILogger log, string subject, DateTimeOffset end);

    [LoggerMessage(5102, LogLevel.Error, "TLS goes on with the files it has, because the changed ones are not right. {Why}")]
    public static partial void CertificateKept(this ILogger log, string why);

    [LoggerMessage(5103, LogLevel.Warning, "The certificate of TLS ends soon, on {End:u}. Renew it")]
    public static partial void CertificateExpiresSoon(this ILogger log, DateTimeOffset end);

    [LoggerMessage(5104, LogLevel.Error, "The certificate of TLS expired on {End:u}; callers refuse it")]
    public static partial void CertificateExpired(this ILogger log, DateTimeOffset end);

    [LoggerMessage(5105, LogLevel.Warning, "Refused {Count} connections above the limits since the last such message")]
    public static partial void ConnectionsRefused(this ILogger log, int count);
    [LoggerMessage(3201, LogLevel.Information, "The key ring changed: {Active} is the active key now, of {Count}")]
    public static partial void RingChanged(this ILogger log, string active, int count);

    [LoggerMessage(3202, LogLevel.Error, "The key ring's file changed and is refused; the keys in use stay. {Why}")]
    public static partial void RingRefused(this ILogger log, string why);

    [LoggerMessage(3203, LogLevel.Warning, "Could not look at the key ring; the next round tries again")]
    public static partial void RingWatchFailed(this ILogger log, Exception why);
    [LoggerMessage(3301, LogLevel.Error, "The system clock is {Seconds} s behind the time it had already shown. Nothing expired comes back; " +
        "codes of authenticator apps are checked at the system's time. Set the clock, then see: mfa-server clock status")]
    public static partial void ClockWentBack(this ILogger log, long seconds);

    [LoggerMessage(3302, LogLevel.Warning, "The system clock jumped forward by {Seconds} s: the machine slept, or the clock is wrong")]
    public static partial void ClockJumped(this ILogger log, long seconds);

    [LoggerMessage(3303, LogLevel.Information, "The system clock is where it should be again")]
    public static partial void ClockIsRight(this ILogger log);

    [LoggerMessage(3304, LogLevel.Warning, "Nothing was saved for {Hours} h before this start: the server was down that long, or the clock is wrong")]
    public static partial void LongPause(this ILogger log, long hours);

    [LoggerMessage(6001, LogLevel.Warning, "{Sender} did not take message {Message}, attempt {Attempt}: {Why}")]
    public static partial void SendFailed(this ILogger log, string sender, Guid message, int attempt, string why);

    [LoggerMessage(6002, LogLevel.Error, "Message {Message} by {Channel} was given up after {Attempts} attempts")]
    public static partial void MessageGivenUp(this ILogger log, Guid message, Channel channel, int attempts);

    [LoggerMessage(6003, LogLevel.Error, "Message {Message} does not open")]
    public static partial void MessageUnreadable(this ILogger log, Exception why, Guid message);

    [LoggerMessage(6004, LogLevel.Warning, "The outbox cannot be read; the next round tries again")]
    public static partial void CourierFailed(this ILogger log, Exception why);

    [LoggerMessage(6005, LogLevel.Warning, "{Why} {Remedy}")]
    public static partial void SmsAlone(this ILogger log, string why, string remedy);
    [LoggerMessage(4201, LogLevel.Warning, "{Caller} of {Tenant} is past its limit of {Limit}: {Times} calls turned away since the last such line")]
    public static partial void CallerLimited(this ILogger log, string caller, string tenant, string limit, long times);

    [LoggerMessage(4202, LogLevel.Warning, "{Peer} fails to prove who it is: {Times} calls turned away since the last such line")]
    public static partial void PeerLimited(this ILogger log, string peer, long times);

    [LoggerMessage(4203, LogLevel.Warning, "Too many passwords at once: {Times} calls turned away since the last such line")]
    public static partial void PasswordsLimited(this ILogger log, long times);

    [LoggerMessage(4210, LogLevel.Error, "Spray: {Caller} of {Tenant}, now from {Peer}, sent {Wrong} wrong codes for {Accounts} accounts; it may not guess for {Pause}")]
    public static partial void Spray(this ILogger log, string caller, string tenant, string peer, int wrong, int accounts, TimeSpan pause);

    [LoggerMessage(4211, LogLevel.Error, "Spray: all callers together sent {Wrong} wrong codes for {Accounts} accounts; for {Pause} a tenth of the threshold stops one")]
    public static partial void SprayOfAll(this ILogger log, int wrong, int accounts, TimeSpan pause);

    [LoggerMessage(4212, LogLevel.Warning, "Could not exchange quotas with the other servers, {Times} times; until it can, this one counts alone")]
    public static partial void QuotasNotShared(this ILogger log, Exception why, long times);

    [LoggerMessage(4213, LogLevel.Warning, "Could not read what server {Server} told of its callers; it is not counted")]
    public static partial void NewsNotRead(this ILogger log, Exception why, string server);

    [LoggerMessage(4001, LogLevel.Warning, "Refused a call of {Rpc} from {Peer}: {Why}")]
    public static partial void CallerRefused(this ILogger log, string rpc, string peer, string why);

    [LoggerMessage(4101, LogLevel.Warning, "Could not note when API keys were last used; their next use is noted")]
    public static partial void UsesNotSaved(this ILogger log, Exception why);

    [LoggerMessage(4102, LogLevel.Warning, "Could not read the keys of {Issuer}: {Why}. Those at hand serve on until they are too old")]
    public static partial void IssuerKeysNotRead(this ILogger log, string issuer, string why);
}
