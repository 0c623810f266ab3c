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

    [LoggerMessage(2001, LogLevel.Information, "Verdict on {Tenant}/{Account} for {Caller}: {Factor} {Kind}")]
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

    [LoggerMessage(3001, LogLevel.Information, "Removed {Enrollments} expired enrollments, {Answers} expired answers and {Messages} old message records")]
    public static partial void Swept(this ILogger log, int enrollments, int answers, int messages);

    [LoggerMessage(3002, LogLevel.Warning, "Could not sweep; the next round tries again")]
    public static partial void SweepFailed(this ILogger log, Exception why);

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

    [LoggerMessage(4001, LogLevel.Warning, "Refused a call of {Rpc} from {Peer}: {Why}")]
    public static partial void CallerRefused(this ILogger log, string rpc, string peer, string why);
}
