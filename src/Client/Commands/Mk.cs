using System.CommandLine;
using Mfa.V1;

namespace Mfa.Client.Commands;

/// <summary><c>mfa mk METHOD</c>: enrols a second factor in one conversation.</summary>
/// <remarks>Results, which a script may want to keep, go to standard output: the QR code, the key, the recovery codes
/// and the two closing lines. Questions, explanations and complaints go to standard error.</remarks>
internal static class Mk
{
    private const int Tries = 3;

    public static Command Command(RunVerb run)
    {
        var method = new Argument<Method>("METHOD")
        {
            Description = "The kind of second factor.",
            HelpName = "AUTHENTICATOR|EMAIL|SMS",
            CustomParser = result =>
            {
                // By name: Enum.TryParse would also take numbers and lists.
                var word = result.Tokens.Single().Value.ToUpperInvariant();
                foreach (var known in (Method[])[Method.Authenticator, Method.Email, Method.Sms])
                {
                    if (ContractNames.Short(known) == word) return known;
                }
                result.AddError("METHOD must be AUTHENTICATOR, EMAIL or SMS.");
                return default;
            },
        };
        var email = Option("--email", "ADDRESS", "Where notices go. A person's address comes from the directory.");
        var phone = Option("--phone", "NUMBER", "The phone for SMS, such as +14165550123.");
        var label = Option("--label", "TEXT", "The name the authenticator app shows. Default: the account.");
        var locale = Option("--locale", "TAG", "Language of messages to the owner, such as en or fr-CA.");
        var command = new Verb("mk", "Enrols a second factor and checks its first code.",
            """
            mfa mk AUTHENTICATOR
            mfa --api-key-file shop.key --account alice --output json mk AUTHENTICATOR --label "alice at work"

            Without a terminal, answers are read from standard input line by line, in the order of the questions.
            With --output json there are no questions: finish with mfa verify --enrollment-id ID CODE.
            """)
        { method, email, phone, label, locale };
        command.SetAction((parsed, _) => run(parsed, (settings, terminal) => RunAsync(settings, terminal, new()
        {
            Account = settings.Account ?? "",
            Method = parsed.GetValue(method),
            Email = parsed.GetValue(email) ?? "",
            Phone = parsed.GetValue(phone) ?? "",
            Label = parsed.GetValue(label) ?? "",
            Locale = parsed.GetValue(locale) ?? "",
        })));
        return command;
    }

    private static Option<string> Option(string name, string value, string description) =>
        new(name) { Description = description, HelpName = value };

    private static async Task<int> RunAsync(Settings settings, Terminal terminal, EnableRequest request)
    {
        using var session = Session.Open(settings, terminal, enrolling: true);
        var enrollment = await EnableAsync(session, request);
        if (enrollment.EnrollmentId.Length == 0 || enrollment.RecoveryCodes.Count == 0)
            throw FailedException.BadReply("The server's reply names no enrolment. Nothing was enabled.");
        if (session.Json)
        {
            terminal.Result(JsonReplies.Write(enrollment));
            return ExitCode.Done;
        }
        Show(terminal, enrollment);
        RecoveryFile.Offer(terminal, enrollment.RecoveryCodes, session.Owner, enrollment.Issuer);
        return await ProveAsync(session, enrollment);
    }

    private static async Task<EnableResponse> EnableAsync(Session session, EnableRequest request)
    {
        try
        {
            return await session.EnableAsync(request);
        }
        catch (FailedException e) when (e.Failure.Reason == "ALREADY_ENABLED")
        {
            var code = session.Terminal.Ask("Enter a current code (or a recovery code) to replace the enabled factor:");
            if (string.IsNullOrEmpty(code)) throw;
            request.Code = code;
            return await session.EnableAsync(request);
        }
    }

    private static void Show(Terminal terminal, EnableResponse enrollment)
    {
        if (terminal.Confirm("Do you have a phone to scan a QR Code to generate TOTP codes?"))
            ShowQrCode(terminal, enrollment);
        if (terminal.Confirm("Do you like to display the security key?"))
        {
            // The plain key alone on its line is what copying and scripts want; groups are for eyes and fingers.
            terminal.Result(enrollment.Secret);
            var groups = enrollment.Secret.Chunk(4).Select(group => new string(group));
            terminal.Tell($"In groups, for typing: {string.Join(' ', groups)}");
        }
        terminal.Tell("Recovery codes: each lets you in once when your authenticator is not at hand. Keep them safe.");
        foreach (var code in enrollment.RecoveryCodes) terminal.Result(code);
    }

    private static void ShowQrCode(Terminal terminal, EnableResponse enrollment)
    {
        if (QrDrawing.Of(enrollment.OtpauthUri) is not { } drawing)
        {
            terminal.Tell("There is no QR code to draw: use the security key.");
        }
        else if (drawing.Width > terminal.Width)
        {
            terminal.Tell($"The QR code needs {drawing.Width} columns and this terminal has {terminal.Width}: "
                + "use the security key, or start again in a wider one.");
        }
        else
        {
            terminal.Tell("Scan it with any authenticator app or password manager:");
            terminal.Draw(drawing.Rows(terminal.Colour));
        }
    }

    private static async Task<int> ProveAsync(Session session, EnableResponse enrollment)
    {
        var terminal = session.Terminal;
        var digits = Digits(enrollment.OtpauthUri);
        for (var left = Tries - 1; left >= 0; left--)
        {
            var code = terminal.Ask($"Enter the {digits}-digit Code to verify enrolment was successful:");
            if (code is null)
            {
                terminal.Tell("The input ended before a code was given.");
                break;
            }
            if (await TryAsync(session, enrollment, code, left) is { } exitCode) return exitCode;
        }
        StaysPending(terminal, enrollment);
        return ExitCode.Refused;
    }

    /// <returns>The exit code when this try settled it; null when another may follow.</returns>
    private static async Task<int?> TryAsync(Session session, EnableResponse enrollment, string code, int left)
    {
        var terminal = session.Terminal;
        VerifyResponse reply;
        try
        {
            reply = await session.VerifyAsync(code, enrollment.EnrollmentId);
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

    private static string TriesLeft(int left) =>
        left switch { 0 => "No tries left.", 1 => "1 try left.", _ => $"{left} tries left." };

    private static void StaysPending(Terminal terminal, EnableResponse enrollment)
    {
        var until = Times.Rfc3339(enrollment.ExpireTime) is { } time ? $" until {time}" : "";
        terminal.Tell($"The enrolment stays pending{until}. "
            + $"Go on with: mfa verify --enrollment-id {enrollment.EnrollmentId}");
    }

    /// <summary>The key URI says how many digits the app will show; 6 is what it means when it does not.</summary>
    private static int Digits(string otpauthUri)
    {
        const string Key = "digits=";
        var part = otpauthUri.Split('?', '&').LastOrDefault(p => p.StartsWith(Key, StringComparison.Ordinal));
        return int.TryParse(part?[Key.Length..], out var digits) && digits is >= 6 and <= 10 ? digits : 6;
    }
}
