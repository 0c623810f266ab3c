using System.CommandLine;
using Mfa.V1;

namespace Mfa.Client.Commands;

/// <summary><c>mfa status</c>: what is switched on for the account.</summary>
internal static class Status
{
    public static Command Command(RunVerb run)
    {
        var command = new Verb("status", "Tells what is switched on.",
            """
            mfa --username alice status
            mfa --api-key-file shop.key --account alice --output json status
            """);
        command.SetAction((parsed, _) => run(parsed, RunAsync));
        return command;
    }

    private static async Task<int> RunAsync(Settings settings, Terminal terminal)
    {
        using var session = Session.Open(settings, terminal);
        var reply = await session.GetStatusAsync(new() { Account = session.Account });
        if (reply.State == State.Unspecified)
            throw FailedException.BadReply("The server did not say what is switched on.");
        if (session.Json)
        {
            terminal.Result(JsonReplies.Write(reply));
            return ExitCode.Done;
        }
        foreach (var (name, value) in Table(reply)) terminal.Result($"{name,-16}{value}");
        if (reply.RecoveryCodesStale) terminal.Tell("The account was restored from a backup. Make new recovery codes: mfa recovery-codes");
        if (reply.Pending is { } pending)
            terminal.Tell($"To finish the pending enrolment: mfa verify --enrollment-id {pending.EnrollmentId}");
        return ExitCode.Done;
    }

    private static IEnumerable<(string Name, string Value)> Table(GetStatusResponse reply) =>
    [
        ("State", ContractNames.Short(reply.State)),
        ("Method", reply.Method == Method.Unspecified ? "-" : ContractNames.Short(reply.Method)),
        ("Enabled since", Times.Rfc3339(reply.EnableTime) ?? "-"),
        (Sending(reply) == Method.Sms ? "Phone" : "E-mail", reply.Destination.Length > 0 ? reply.Destination : "-"),
        ("Recovery codes", $"{reply.RecoveryCodesRemaining} left"),
        ("Locked until", Times.Rfc3339(reply.LockedUntil) ?? "-"),
        ("Pending until", Times.Rfc3339(reply.Pending?.ExpireTime) ?? "-"),
        .. reply.Delivery is { } delivery ? [("Code delivery", Words(delivery))] : Array.Empty<(string, string)>(),
    ];

    /// <summary>The method that the destination belongs to: an enrolment's only while no factor is in force.</summary>
    private static Method Sending(GetStatusResponse reply) =>
        reply.Method == Method.Unspecified && reply.Pending is { } pending ? pending.Method : reply.Method;

    private static string Words(Delivery delivery)
    {
        var since = Times.Rfc3339(delivery.UpdateTime) is { } time ? $" since {time}" : "";
        var attempts = delivery.Attempts == 1 ? "1 attempt" : $"{delivery.Attempts} attempts";
        return $"{ContractNames.Short(delivery.State)}{since}, {attempts}";
    }
}
