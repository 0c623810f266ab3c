using Mfa.Server.Domain;

namespace Mfa.Server.Callers;

/// <summary>Whoever runs the verbs of mfa-server on this machine, as the operating system knows them.</summary>
internal static class Operator
{
    private static readonly AuditCaller Caller = new($"operator:{Environment.UserName}");

    /// <summary>The row that every verb leaves that changes something.</summary>
    /// <param name="verb">What was done, in the words of the command line and without any secret.</param>
    /// <param name="account">Whose it is: a person's account, or a tenant alone.</param>
    public static AuditEntry Did(string verb, DateTimeOffset now, AccountKey? account = null) =>
        new(now, AuditAct.Operator, Caller, account ?? new AccountKey("", "")) { Outcome = AuditOutcome.Done, Detail = verb };
}
