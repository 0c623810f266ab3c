using System.CommandLine;
using Mfa.V1;

namespace Mfa.Client.Commands;

/// <summary><c>mfa get-token</c>: has a fresh code sent. The code itself is in the message alone.</summary>
internal static class GetToken
{
    public static Command Command(RunVerb run)
    {
        var enrollmentId = new Option<string>("--enrollment-id")
        {
            Description = "The pending enrolment to send a code for, as mk gave it. Default: the factor in force.",
            HelpName = "ID",
        };
        var requestId = new Option<string>("--request-id")
        {
            Description = "Repeat an earlier call: same id, no second message. Default: a new one.",
            HelpName = "UUID",
        };
        var command = new Verb("get-token", "Has a fresh code sent by EMAIL or SMS. It voids the code sent before.",
            """
            mfa --username alice get-token
            mfa --api-key-file shop.key --account alice --output json get-token
            mfa --username alice get-token --enrollment-id 0b3e5b0c-6f0e-4d7e-9d55-3c1f6b1f2a90

            Check the code with: mfa verify
            """)
        { enrollmentId, requestId };
        command.SetAction((parsed, _) => run(parsed, (settings, terminal) =>
            RunAsync(settings, terminal, parsed.GetValue(enrollmentId) ?? "", parsed.GetValue(requestId))));
        return command;
    }

    internal static async Task<GetTokenResponse> SendAsync(Session session, string enrollmentId, string requestId)
    {
        var reply = await session.GetTokenAsync(enrollmentId, requestId);
        return reply.Method != Method.Unspecified
            ? reply
            : throw FailedException.BadReply("The server did not say that a code was sent.");
    }

    internal static string Words(GetTokenResponse reply)
    {
        var until = Times.Rfc3339(reply.ExpireTime) is { } expiry ? $", good until {expiry}" : "";
        var next = Times.Rfc3339(reply.ResendTime) is { } time ? $"; the next one can be requested at {time}" : "";
        return $"Sent by {ContractNames.Short(reply.Method)} to {reply.Destination}{until}{next}";
    }

    private static async Task<int> RunAsync(
        Settings settings, Terminal terminal, string enrollmentId, string? requestId)
    {
        using var session = Session.Open(settings, terminal);
        requestId ??= Session.NewRequestId();
        GetTokenResponse reply;
        try
        {
            reply = await SendAsync(session, enrollmentId, requestId);
        }
        catch (FailedException e) when (e.Failure.Status is "UNAVAILABLE" or "DEADLINE_EXCEEDED")
        {
            terminal.Tell("A code may be on its way all the same. "
                + $"To ask again without a second message, give --request-id {requestId}");
            throw;
        }
        terminal.Result(session.Json ? JsonReplies.Write(reply) : Words(reply));
        return ExitCode.Done;
    }
}
