using Mfa.V1;

namespace Mfa.Client.Commands;

/// <summary>The end of <c>mfa mk</c>: the first code, which proves the enrolment.</summary>
internal static class FirstCode
{
    private const int Tries = 3;

    /// <summary>Whether codes of this enrolment are sent. Otherwise an app computes them.</summary>
    public static bool IsSent(EnableResponse enrollment) => enrollment.Method is Method.Email or Method.Sms;

    public static async Task<int> ProveAsync(Session session, EnableResponse enrollment)
    {
        var terminal = session.Terminal;
        var question = $"Enter the {Digits(enrollment.OtpauthUri)}-digit Code to verify enrolment was successful";
        // A script has no one to wait for: to it an empty line is a wrong code, as any other.
        var maySendAgain = IsSent(enrollment) && terminal.Interactive;
        if (maySendAgain) question += " (an empty line or r sends a new one)";
        var left = Tries - 1;
        while (left >= 0)
        {
            var code = terminal.Ask($"{question}:");
            if (code is null)
            {
                terminal.Tell("The input ended before a code was given.");
                break;
            }
            if (maySendAgain && code is "" or "r" or "R")
            {
                await SendAgainAsync(session, enrollment);
                continue;
            }
            if (await TryAsync(session, enrollment, code, left) is { } exitCode) return exitCode;
            left--;
        }
        StaysPending(terminal, enrollment);
        return ExitCode.Refused;
    }

    /// <summary>Costs no try: the server has its own limits for messages.</summary>
    private static async Task SendAgainAsync(Session session, EnableResponse enrollment)
    {
        var terminal = session.Terminal;
        try
        {
            var reply = await GetToken.SendAsync(session, enrollment.EnrollmentId, Session.NewRequestId());
            terminal.Tell(GetToken.Words(reply));
        }
        catch (FailedException e) when (e.Failure is { Reason: "SEND_LIMIT", RetryAfter: { } wait })
        {
            terminal.Tell($"{e.Failure.Message} Wait {Failure.Seconds(wait)} s for a new one; "
                + "the code sent last still counts.");
        }
        catch (FailedException e) when (e.Failure.Reason != "ENROLLMENT_NOT_FOUND")
        {
            StaysPending(terminal, enrollment);
            throw;
        }
    }

    /// <returns>The exit code when this try settled it; null when another may follow.</returns>
    private static async Task<int?> TryAsync(Session session, EnableResponse enrollment, string code, int left)
    {
        var terminal = session.Terminal;
        VerifyResponse reply;
        try
        {
            reply = await session.VerifyAsync(code, enrollment.EnrollmentId, Session.NewRequestId());
        }
        catch (FailedException e) when (e.Failure.Fields.Any(fault => fault.Field == "code"))
        {
            foreach (var line in e.Failure.Lines()) terminal.Tell(line);
            terminal.Tell(TriesLeft(left));
            return null;
        }
        catch (FailedException e) when (e.Failure.Reason != "ENROLLMENT_NOT_FOUND")
        {
            StaysPending(terminal, enrollment);
            throw;
        }
        switch (reply.Verdict)
        {
            case Verdict.Accepted:
                terminal.Result("Verification is complete.");
                terminal.Result($"MFA via {ContractNames.Short(enrollment.Method)} is ready.");
                return ExitCode.Done;
            case Verdict.Rejected:
                terminal.Tell($"That code was not accepted. {TriesLeft(left)}");
                return null;
            default:
                terminal.Tell(Verify.Words(reply));
                StaysPending(terminal, enrollment);
                return ExitCode.Refused;
        }
    }

    internal static string TriesLeft(int left) =>
        left switch { 0 => "No tries left.", 1 => "1 try left.", _ => $"{left} tries left." };

    private static void StaysPending(Terminal terminal, EnableResponse enrollment)
    {
        var until = Times.Rfc3339(enrollment.ExpireTime) is { } time ? $" until {time}" : "";
        terminal.Tell($"The enrolment stays pending{until}. "
            + $"Go on with: mfa verify --enrollment-id {enrollment.EnrollmentId}");
        if (IsSent(enrollment))
            terminal.Tell($"To have a new code sent: mfa get-token --enrollment-id {enrollment.EnrollmentId}");
    }

    /// <summary>The key URI says how many digits the app will show; 6 is what it means when it does not, and what
    /// sent codes have.</summary>
    private static int Digits(string otpauthUri)
    {
        const string Key = "digits=";
        var part = otpauthUri.Split('?', '&').LastOrDefault(p => p.StartsWith(Key, StringComparison.Ordinal));
        return int.TryParse(part?[Key.Length..], out var digits) && digits is >= 6 and <= 10 ? digits : 6;
    }
}
