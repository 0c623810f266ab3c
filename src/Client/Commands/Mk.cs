using System.CommandLine;
using Mfa.V1;

namespace Mfa.Client.Commands;

/// <summary><c>mfa mk METHOD</c>: enrols a second factor in one conversation.</summary>
/// <remarks>Results, which a script may want to keep, go to standard output: the QR code, the key, the recovery codes
/// and the two closing lines. Questions, explanations and complaints go to standard error.</remarks>
internal static class Mk
{
    // E.164 allows 15 digits; below 7 no country has a mobile phone.
    private const int FewestPhoneDigits = 7, MostPhoneDigits = 15;

    public static Command Command(RunVerb run)
    {
        var method = new Argument<Method>("METHOD")
        {
            Description = "How codes come: computed by an app, or sent by e-mail or SMS.",
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
        var email = Option(
            "--email", "ADDRESS",
            "Where notices, tokens to switch off and the codes of EMAIL go. Required for EMAIL with an API key; "
            + "a person's comes from the directory.");
        var phone = Option("--phone", "NUMBER", "The phone for SMS, which needs it, such as +14165550123.");
        var label = Option("--label", "TEXT", "The name the authenticator app shows. Default: the account.");
        var locale = Option("--locale", "TAG", "Language of messages to the owner, such as en or fr-CA.");
        var command = new Verb("mk", "Enrols a second factor and checks its first code.",
            """
            mfa mk AUTHENTICATOR
            mfa --username alice mk EMAIL
            mfa --username alice mk SMS --phone +14165550123
            mfa --api-key-file shop.key --account alice mk EMAIL --email alice@example.org
            mfa --api-key-file shop.key --account alice --output json mk AUTHENTICATOR --label "alice at work"

            EMAIL and SMS send the first code at once. Replacing an enabled factor asks for a current code of it; when
            that one is sent too, have it sent before with: mfa get-token
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
        if (request.Method == Method.Sms) request.Phone = Phone(request.Phone);
        using var session = Session.Open(settings, terminal, enrolling: true);
        if (request is { Method: Method.Email, Email: "" } && !session.IsPerson)
            throw FailedException.Usage("EMAIL with an API key needs --email, such as --email alice@example.org");
        var enrollment = await EnableAsync(session, request);
        if (enrollment.EnrollmentId.Length == 0 || enrollment.RecoveryCodes.Count == 0)
            throw FailedException.BadReply("The server's reply names no enrolment. Nothing was enabled.");
        if (session.Json)
        {
            terminal.Result(JsonReplies.Write(enrollment));
            return ExitCode.Done;
        }
        if (FirstCode.IsSent(enrollment)) TellWhereCodesGo(terminal, enrollment);
        else ShowKey(terminal, enrollment);
        terminal.Tell("Recovery codes: each lets you in once when your authenticator is not at hand. Keep them safe.");
        foreach (var code in enrollment.RecoveryCodes) terminal.Result(code);
        RecoveryFile.Offer(terminal, enrollment.RecoveryCodes, session.Owner, enrollment.Issuer);
        return await FirstCode.ProveAsync(session, enrollment);
    }

    /// <summary>Only slips are found here, before anything is asked or sent. Which numbers exist, the server knows.
    /// </summary>
    /// <returns>The number without what only helps to read it.</returns>
    private static string Phone(string typed)
    {
        var number = string.Concat(typed.Where(c => !char.IsWhiteSpace(c) && !"-.()".Contains(c)));
        var digits = number.StartsWith('+') ? number[1..] : number;
        if (digits.Length is < FewestPhoneDigits or > MostPhoneDigits || !digits.All(char.IsAsciiDigit))
            throw FailedException.Usage(
                $"SMS needs --phone with {FewestPhoneDigits} to {MostPhoneDigits} digits, such as +14165550123");
        return number;
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

    private static void TellWhereCodesGo(Terminal terminal, EnableResponse enrollment)
    {
        terminal.Tell("Verification code requested");
        terminal.Tell($"It goes by {ContractNames.Short(enrollment.Method)} to {enrollment.Destination}");
    }

    private static void ShowKey(Terminal terminal, EnableResponse enrollment)
    {
        if (terminal.Confirm("Do you have a phone to scan a QR Code to generate TOTP codes?"))
            ShowQrCode(terminal, enrollment);
        if (!terminal.Confirm("Do you like to display the security key?")) return;
        // The plain key alone on its line is what copying and scripts want; groups are for eyes and fingers.
        terminal.Result(enrollment.Secret);
        var groups = enrollment.Secret.Chunk(4).Select(group => new string(group));
        terminal.Tell($"In groups, for typing: {string.Join(' ', groups)}");
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
}
