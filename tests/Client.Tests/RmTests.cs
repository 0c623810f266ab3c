using Google.Rpc;
using Grpc.Core;
using Mfa.V1;

namespace Mfa.Client.Tests;

public sealed class RmTests
{
    private const string Question =
        "You should have received an email with a confirmation token. Please, paste the token to continue: ";

    private const string OtherToken = "QW5vdGhlciBmb3J0eS10aHJlZSBzeW1ib2xzIG9rYXk";

    private static readonly string[] Mailed = ["message : Confirmation email sent.", "type : info"];
    private static readonly string[] Off = ["message : TOTP has been disabled", "type : info"];

    [Fact]
    public async Task A_person_pastes_the_token_from_the_mail()
    {
        await using var server = await StubServer.StartAsync();

        var talk = await MfaProgram.TalkAsync(server, "rm --username alice",
        [
            ("Password: ", "secret\r"),
            ("message : Confirmation email sent.\ntype : info\n", ""),
            ("It went to j***@e***.org, good until 2026-05-01T12:00:00Z\n", ""),
            (Question, $"{StubServer.RightToken}\r"),
            ("message : TOTP has been disabled\ntype : info\n", ""),
        ]);

        Assert.Equal((0, true), (talk.ExitCode, talk.Echo));
        Assert.DoesNotContain(StubServer.RightToken, talk.Text, StringComparison.Ordinal);
        Assert.True(Guid.TryParse(Assert.Single(server.Disables).RequestId, out _));
        Assert.True(Guid.TryParse(Assert.Single(server.Confirms).RequestId, out _));
        Assert.NotEqual(server.Disables[0].RequestId, server.Confirms[0].RequestId);
    }

    [Fact]
    public async Task Through_pipes_the_token_is_a_line_of_standard_input()
    {
        await using var server = await StubServer.StartAsync();

        var run = await RunAsync(server, "rm", $"  {StubServer.RightToken} \r\n");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal([.. Mailed, .. Off], run.OutputLines);
        Assert.Equal($"It went to j***@e***.org, good until 2026-05-01T12:00:00Z\n{Question}\n", run.Error);
        Assert.Equal(("alice", StubServer.RightToken), (server.Confirms[0].Account, server.Confirms[0].Token));
    }

    [Fact]
    public async Task A_script_can_only_ask_for_the_mail()
    {
        await using var server = await StubServer.StartAsync();

        var run = await RunAsync(server, "rm --request-only", $"{StubServer.RightToken}\n");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(Mailed, run.OutputLines);
        Assert.Equal("alice", Assert.IsType<DisableRequest>(server.Requests.Single()).Account);
    }

    [Fact]
    public async Task A_script_can_only_give_the_token()
    {
        await using var server = await StubServer.StartAsync();

        var run = await RunAsync(server, "rm --confirm", $"{StubServer.RightToken}\n");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(Off, run.OutputLines);
        Assert.IsType<ConfirmDisableRequest>(server.Requests.Single());
    }

    [Fact]
    public async Task Json_is_one_document_a_line_for_each_step()
    {
        const string First = """{"message":"Confirmation email sent.","type":"info","destination":"j***@e***."""
            + """org","expire_time":"2026-05-01T12:00:00Z"}""";
        const string Second =
            """{"message":"TOTP has been disabled","type":"info","disable_time":"2026-05-01T12:00:00Z"}""";
        await using var server = await StubServer.StartAsync();

        var both = await RunAsync(server, "--output json rm", $"{StubServer.RightToken}\n");
        var request = await RunAsync(server, "--output json rm --request-only");
        var confirm = await RunAsync(server, "--output json rm --confirm", $"{StubServer.RightToken}\n");

        Assert.Equal((0, $"{First}\n{Second}\n", $"{Question}\n"), (both.ExitCode, both.Output, both.Error));
        Assert.Equal((0, $"{First}\n", ""), (request.ExitCode, request.Output, request.Error));
        Assert.Equal((0, $"{Second}\n"), (confirm.ExitCode, confirm.Output));
    }

    [Fact]
    public async Task A_refused_token_can_be_given_again_twice_on_a_terminal()
    {
        await using var server = await StubServer.StartAsync();
        server.OnConfirmDisable = request => request.Token switch
        {
            StubServer.RightToken => new() { DisableTime = StubServer.Noon },
            OtherToken => throw StubServer.Error(StatusCode.PermissionDenied, ErrorReason.TokenRefused),
            _ => throw BadToken(),
        };

        var talk = await MfaProgram.TalkAsync(server, "rm --username alice",
        [
            ("Password: ", "secret\r"),
            (Question, $"{OtherToken}\r"),
            ("The token was not accepted", ""),
            ("2 tries left.", ""),
            (Question, "half\r"),
            ("  token: exactly 43 symbols\n1 try left.\n", ""),
            (Question, $"{StubServer.RightToken}\r"),
            ("message : TOTP has been disabled\n", ""),
        ]);

        Assert.Equal(0, talk.ExitCode);
        Assert.Single(server.Disables);
        Assert.Equal(3, server.Confirms.Select(request => request.RequestId).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task The_third_refused_token_ends_it()
    {
        await using var server = await StubServer.StartAsync();

        var talk = await MfaProgram.TalkAsync(server, "rm --confirm --username alice",
        [
            ("Password: ", "secret\r"),
            (Question, $"{OtherToken}\r"),
            (Question, $"{OtherToken}\r"),
            (Question, $"{OtherToken}\r"),
            ("The token was not accepted: it is wrong, used, expired or voided by a newer one.", ""),
        ]);

        Assert.Equal(1, talk.ExitCode);
        Assert.Equal(3, server.Confirms.Count);
        Assert.DoesNotContain("disabled", talk.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("table")]
    [InlineData("json")]
    public async Task A_script_has_one_try(string output)
    {
        await using var server = await StubServer.StartAsync();

        var run = await RunAsync(server, $"--output {output} rm --confirm", $"{OtherToken}\n{StubServer.RightToken}\n");

        Assert.Equal(1, run.ExitCode);
        Assert.Single(server.Confirms);
        if (output == "json")
            Assert.Equal("TOKEN_REFUSED", run.Json.GetProperty("error").GetProperty("reason").GetString());
        else Assert.Equal("", run.Output);
    }

    [Theory]
    [InlineData("rm")]
    [InlineData("rm --confirm")]
    public async Task Without_a_token_nothing_is_switched_off(string arguments)
    {
        await using var server = await StubServer.StartAsync();

        var run = await RunAsync(server, arguments);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("No token, and nothing was switched off.", run.Error, StringComparison.Ordinal);
        Assert.Empty(server.Confirms);
    }

    [Fact]
    public async Task Ctrl_C_at_the_token_leaves_everything_on()
    {
        await using var server = await StubServer.StartAsync();

        var talk = await MfaProgram.TalkAsync(server, "rm --username alice",
            [("Password: ", "secret\r"), (Question, $"{StubServer.RightToken}\u0003")]);

        Assert.Equal((130, true), (talk.ExitCode, talk.Echo));
        Assert.Single(server.Disables);
        Assert.Empty(server.Confirms);
    }

    [Fact]
    public async Task A_mail_that_was_not_sent_asks_for_no_token()
    {
        await using var server = await StubServer.StartAsync();
        server.OnDisable = _ => throw StubServer.Error(StatusCode.FailedPrecondition, ErrorReason.NoEmail);

        var run = await RunAsync(server, "rm", $"{StubServer.RightToken}\n");

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.DoesNotContain("paste", run.Error, StringComparison.Ordinal);
        Assert.Empty(server.Confirms);
    }

    [Fact]
    public async Task Replies_lost_on_their_way_are_asked_for_again_under_the_same_request_ids()
    {
        await using var server = await StubServer.StartAsync();
        using var relay = new CuttingRelay(server.Endpoint);
        var (mail, off) = (server.OnDisable, server.OnConfirmDisable);
        server.OnDisable = request =>
        {
            if (server.Disables.Count == 1) relay.Cut();
            return mail(request);
        };
        server.OnConfirmDisable = request =>
        {
            if (server.Confirms.Count == 1) relay.Cut();
            return off(request);
        };

        var run = await RunAsync(server, $"--endpoint {relay.Endpoint} rm", $"{StubServer.RightToken}\n");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(server.Disables[0], server.Disables[1]);
        Assert.Equal(server.Confirms[0], server.Confirms[1]);
        Assert.Equal(4, server.Requests.Count);
    }

    [Fact]
    public async Task A_reply_that_never_comes_leaves_the_question_to_status()
    {
        await using var server = await StubServer.StartAsync();
        server.FailEverythingWith(StubServer.Error(StatusCode.Unavailable, ErrorReason.StoreUnavailable));

        var run = await RunAsync(server, "rm --confirm", $"{StubServer.RightToken}\n");

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Equal(3, server.Confirms.Count);
        Assert.Contains("may be off all the same. Look: mfa status", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rm --request-only", "table")]
    [InlineData("rm --request-only", "json")]
    [InlineData("rm --confirm", "table")]
    [InlineData("rm --confirm", "json")]
    public async Task An_empty_reply_is_no_success(string arguments, string output)
    {
        await using var server = await StubServer.StartAsync();
        server.OnDisable = _ => new DisableResponse();
        server.OnConfirmDisable = _ => new ConfirmDisableResponse();

        var run = await RunAsync(server, $"--output {output} {arguments}", $"{StubServer.RightToken}\n");

        Assert.Equal(1, run.ExitCode);
        Assert.DoesNotContain("info", run.Output, StringComparison.Ordinal);
    }

    private static RpcException BadToken() => StubServer.Error(
        StatusCode.InvalidArgument, ErrorReason.InvalidField, new BadRequest
        {
            FieldViolations =
            {
                new BadRequest.Types.FieldViolation { Field = "token", Description = "exactly 43 symbols" },
            },
        });

    private static Task<Finished> RunAsync(StubServer server, string arguments, string input = "") =>
        MfaProgram.RunAsync(server, $"--account alice {arguments}", input, ["MFA_API_KEY=k"]);
}
