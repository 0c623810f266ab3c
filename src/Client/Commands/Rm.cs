using System.CommandLine;
using Mfa.V1;

namespace Mfa.Client.Commands;

/// <summary><c>mfa rm</c>: switches the second factor off in two steps: a token is mailed, and given back.</summary>
internal static class Rm
{
    private const int Tries = 3;
    private const string Type = "info";
    private const string Mailed = "Confirmation email sent.";
    private const string Disabled = "TOTP has been disabled";

    public static Command Command(RunVerb run)
    {
        var requestOnly = new Option<bool>("--request-only")
        {
            Description = "Only have the token mailed. Nothing is switched off.",
        };
        var confirm = new Option<bool>("--confirm")
        {
            Description = "Only ask for a token that was mailed before, and switch off with it.",
        };
        var command = new Verb("rm", "Switches the second factor off, with a token that is mailed to its owner.",
            """
            mfa --username alice rm
            mfa --api-key-file shop.key --account alice rm --request-only
            mfa --api-key-file shop.key --account alice --output json rm --confirm < token.txt

            The token is good for 15 minutes, and a new one voids it. Without a terminal it is read from standard input.
            """)
        { requestOnly, confirm };
        command.Validators.Add(result =>
        {
            if (result.GetValue(requestOnly) && result.GetValue(confirm))
                result.AddError("Give either --request-only or --confirm, not both.");
        });
        command.SetAction((parsed, _) => run(parsed, (settings, terminal) =>
            RunAsync(settings, terminal, request: !parsed.GetValue(confirm), confirm: !parsed.GetValue(requestOnly))));
        return command;
    }

    private static async Task<int> RunAsync(Settings settings, Terminal terminal, bool request, bool confirm)
    {
        using var session = Session.Open(settings, terminal);
        if (request) await RequestAsync(session);
        if (confirm) await ConfirmAsync(session);
        return ExitCode.Done;
    }

    private static async Task RequestAsync(Session session)
    {
        var reply = await session.DisableAsync();
        if (reply.ExpireTime is null)
            throw FailedException.BadReply("The server did not say that a token was mailed.");
        if (session.Json)
        {
            session.Terminal.Result(JsonReplies.Write(reply, Mailed, Type));
            return;
        }
        Tell(session.Terminal, Mailed);
        var until = Times.Rfc3339(reply.ExpireTime) is { } time ? $", good until {time}" : "";
        session.Terminal.Tell($"It went to {reply.Destination}{until}");
    }

    private static async Task ConfirmAsync(Session session)
    {
        var reply = await TryAsync(session, session.Terminal.Interactive ? Tries - 1 : 0);
        if (reply.DisableTime is null)
            throw FailedException.BadReply("The server did not say that the second factor is off. Look: mfa status");
        if (session.Json) session.Terminal.Result(JsonReplies.Write(reply, Disabled, Type));
        else Tell(session.Terminal, Disabled);
    }

    private static async Task<ConfirmDisableResponse> TryAsync(Session session, int left)
    {
        var terminal = session.Terminal;
        while (true)
        {
            var token = terminal.AskSecret(
                "You should have received an email with a confirmation token. Please, paste the token to continue:");
            if (token is null)
                throw FailedException.Usage(
                    "No token, and nothing was switched off. Give it as a line of standard input to: mfa rm --confirm");
            try
            {
                return await session.ConfirmDisableAsync(token.Trim());
            }
            catch (FailedException e) when (left > 0 && IsAboutTheToken(e.Failure))
            {
                // What is pasted is easily cut short or taken from an older mail.
                foreach (var line in e.Failure.Lines()) terminal.Tell(line);
                terminal.Tell(FirstCode.TriesLeft(left--));
            }
            catch (FailedException e) when (e.Failure.Status is "UNAVAILABLE" or "DEADLINE_EXCEEDED")
            {
                terminal.Tell("The second factor may be off all the same. Look: mfa status");
                throw;
            }
        }
    }

    private static bool IsAboutTheToken(Failure failure) =>
        failure.Reason == "TOKEN_REFUSED" || failure.Fields.Any(fault => fault.Field == "token");

    private static void Tell(Terminal terminal, string message)
    {
        terminal.Result($"message : {message}");
        terminal.Result($"type : {Type}");
    }
}
