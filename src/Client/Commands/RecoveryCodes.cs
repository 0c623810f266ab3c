using System.CommandLine;

namespace Mfa.Client.Commands;

/// <summary><c>mfa recovery-codes</c>: a new set for a current code; the old set is void from then on.</summary>
internal static class RecoveryCodes
{
    public static Command Command(RunVerb run)
    {
        var command = new Verb("recovery-codes", "Replaces the recovery codes. Asks for a current code and uses it up.",
            """
            mfa --username alice recovery-codes
            mfa --api-key-file shop.key --account alice --output json recovery-codes < code.txt
            """);
        command.SetAction((parsed, _) => run(parsed, RunAsync));
        return command;
    }

    private static async Task<int> RunAsync(Settings settings, Terminal terminal)
    {
        using var session = Session.Open(settings, terminal);
        var code = terminal.Ask("Enter a current code (or a recovery code):")
            ?? throw FailedException.Usage("No code: give it as a line of standard input.");
        var reply = await session.RegenerateRecoveryCodesAsync(new() { Account = session.Account, Code = code });
        if (reply.RecoveryCodes.Count == 0)
            throw FailedException.BadReply("The server's reply holds no recovery codes.");
        if (session.Json)
        {
            terminal.Result(JsonReplies.Write(reply));
            return ExitCode.Done;
        }
        terminal.Tell("The old recovery codes are void. Keep the new ones in a safe place:");
        foreach (var recoveryCode in reply.RecoveryCodes) terminal.Result(recoveryCode);
        // The reply does not name the issuer, so the file's name cannot either. Scripts have standard output.
        if (terminal.Interactive) RecoveryFile.Offer(terminal, reply.RecoveryCodes, session.Owner);
        return ExitCode.Done;
    }
}
