using System.CommandLine;
using Mfa.V1;

namespace Mfa.Client.Commands;

/// <summary><c>mfa verify [CODE]</c>: checks a code, or finishes an enrolment. Only VERDICT_ACCEPTED is exit
/// code 0.</summary>
internal static class Verify
{
    private const int FewRecoveryCodes = 2;

    public static Command Command(RunVerb run)
    {
        var code = new Argument<string?>("CODE")
        {
            Description = "A code of the app, a sent code or a recovery code. "
                + "Left out, it is asked for or read from standard input.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var enrollmentId = new Option<string>("--enrollment-id")
        {
            Description = "The enrolment to finish, as mk gave it.",
            HelpName = "ID",
        };
        var requestId = new Option<string>("--request-id")
        {
            Description = "Repeat an earlier call: same id and code get the first answer again. Default: a new one.",
            HelpName = "UUID",
        };
        var command = new Verb("verify", "Checks a code. Exit code 0 means accepted, and nothing else does.",
            """
            mfa --username alice verify
            mfa --api-key-file shop.key --account alice verify < code.txt
            mfa --username alice verify --enrollment-id 0b3e5b0c-6f0e-4d7e-9d55-3c1f6b1f2a90 123456
            """)
        { code, enrollmentId, requestId };
        command.SetAction((parsed, _) => run(parsed, (settings, terminal) =>
            RunAsync(
                settings, terminal, parsed.GetValue(code),
                parsed.GetValue(enrollmentId) ?? "", parsed.GetValue(requestId))));
        return command;
    }

    /// <summary>The verdict for a person. Whatever is not known to be accepted reads as a refusal.</summary>
    internal static string Words(VerifyResponse reply)
    {
        var until = Times.Rfc3339(reply.RetryTime);
        return reply.Verdict switch
        {
            Verdict.Accepted when reply.Factor == Factor.RecoveryCode =>
                $"Accepted. Factor: RECOVERY_CODE, {reply.RecoveryCodesRemaining} left.",
            Verdict.Accepted => $"Accepted. Factor: {ContractNames.Short(reply.Factor)}.",
            Verdict.Rejected when until is not null => $"Rejected. Locked until {until}.",
            Verdict.Rejected when reply.AttemptsRemaining == 1 => "Rejected. 1 attempt left.",
            Verdict.Rejected => $"Rejected. {reply.AttemptsRemaining} attempts left.",
            Verdict.Locked when until is not null => $"Locked until {until}. The code was not looked at.",
            Verdict.Locked =>
                "Blocked until the account is enrolled again with a recovery code. The code was not looked at.",
            _ => $"Refused: the server answered {ContractNames.Of(reply.Verdict)}, "
                + "which is no success this client knows.",
        };
    }

    private static async Task<int> RunAsync(
        Settings settings, Terminal terminal, string? code, string enrollmentId, string? requestId)
    {
        using var session = Session.Open(settings, terminal);
        code ??= terminal.Ask("Enter the code:")
            ?? throw FailedException.Usage("No code: give it as CODE or as a line of standard input.");
        requestId ??= Session.NewRequestId();
        VerifyResponse reply;
        try
        {
            reply = await session.VerifyAsync(code, enrollmentId, requestId);
        }
        catch (FailedException e) when (e.Failure.Status is "UNAVAILABLE" or "DEADLINE_EXCEEDED")
        {
            terminal.Tell("If the code reached the server it may be used up. "
                + $"To ask again safely, give the same code and --request-id {requestId}");
            throw;
        }
        terminal.Result(session.Json ? JsonReplies.Write(reply) : Words(reply));
        if (reply.Verdict != Verdict.Accepted) return ExitCode.Refused;
        if (reply is { Factor: Factor.RecoveryCode, RecoveryCodesRemaining: <= FewRecoveryCodes })
            terminal.Tell("Few recovery codes are left. Get new ones with: mfa recovery-codes");
        return ExitCode.Done;
    }
}
