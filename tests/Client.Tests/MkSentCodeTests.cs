using Grpc.Core;
using Mfa.V1;
using Method = Mfa.V1.Method;

namespace Mfa.Client.Tests;

/// <summary><c>mfa mk</c> for the methods whose codes are sent.</summary>
public sealed class MkSentCodeTests
{
    private const string Question = "Enter the 6-digit Code to verify enrolment was successful";
    private const string QuestionToAPerson = $"{Question} (an empty line or r sends a new one): ";

    private static readonly string[] Key = ["MFA_API_KEY=k"];

    private static readonly (string, string)[] SignIn =
    [
        ("Username: ", "alice\r"),
        ("Password: ", "secret\r"),
        ("Repeat for confirmation: ", "secret\r"),
    ];

    [Fact]
    public async Task A_person_is_told_where_the_code_went_and_proves_it()
    {
        await using var server = await StubServer.StartAsync();
        using var folder = new TemporaryFolder();
        server.OnEnable = request => StubServer.SentEnrollment(request.Method);

        var talk = await MfaProgram.TalkAsync(server, "mk email",
        [
            .. SignIn,
            ("Verification code requested\nIt goes by EMAIL to j***@e***.org\n", ""),
            ("Recovery codes: ", ""),
            .. StubServer.RecoveryCodes.Select(code => ($"\n{code}", "")),
            ("Would you like to save the codes into a text file? [y/N] ", "y\r"),
            ("\nWritten alice_Example_Corp_recovery_codes.txt with recovery codes.\n", ""),
            (QuestionToAPerson, "123456\r"),
            ("\nVerification is complete.\nMFA via EMAIL is ready.\n", ""),
        ], folder: folder.Path);

        Assert.Equal(0, talk.ExitCode);
        Assert.DoesNotContain("QR", talk.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("security key", talk.Text, StringComparison.Ordinal);
        Assert.Equal(new EnableRequest { Method = Method.Email }, server.Requests.First());
        Assert.Equal(StubServer.EnrollmentId, Assert.Single(server.Verifies).EnrollmentId);
        Assert.Empty(server.GetTokens);
    }

    [Theory]
    [InlineData("EMAIL --email alice@example.org", "EMAIL to j***@e***.org")]
    [InlineData("SMS --phone +14165550123", "SMS to +1 *** *** **23")]
    public async Task Through_pipes_results_alone_are_on_standard_output(string method, string destination)
    {
        await using var server = await StubServer.StartAsync();
        server.OnEnable = request => StubServer.SentEnrollment(request.Method);

        var run = await MfaProgram.RunAsync(server, $"--account alice mk {method}", "n\n000000\n123456\n", Key);

        Assert.Equal(0, run.ExitCode);
        string[] closing = ["Verification is complete.", $"MFA via {method.Split(' ')[0]} is ready."];
        Assert.Equal([.. StubServer.RecoveryCodes, .. closing], run.OutputLines);
        Assert.Equal(
            $"""
            Verification code requested
            It goes by {destination}
            Recovery codes: each lets you in once when your authenticator is not at hand. Keep them safe.
            Would you like to save the codes into a text file? [y/N]{" "}
            {Question}:{" "}
            That code was not accepted. 2 tries left.
            {Question}:{" "}

            """, run.Error);
    }

    [Theory]
    [InlineData("\r")]
    [InlineData("r\r")]
    [InlineData(" R \r")]
    public async Task A_new_code_is_sent_on_request_and_costs_no_try(string asking)
    {
        await using var server = await StubServer.StartAsync();
        server.OnEnable = _ => StubServer.SentEnrollment();
        const string Sent = "Sent by EMAIL to j***@e***.org, good until 2026-05-01T12:00:00Z; "
            + "the next one can be requested at 2026-05-01T11:56:00Z";

        var talk = await MfaProgram.TalkAsync(server, "mk EMAIL --username alice",
        [
            .. SignIn[1..],
            ("text file? ", "\r"),
            (QuestionToAPerson, asking),
            (Sent, ""),
            (QuestionToAPerson, asking),
            (Sent, ""),
            (QuestionToAPerson, "000000\r"),
            ("That code was not accepted. 2 tries left.", ""),
            (QuestionToAPerson, "123456\r"),
            ("MFA via EMAIL is ready.", ""),
        ]);

        Assert.Equal(0, talk.ExitCode);
        Assert.Equal(2, server.GetTokens.Count);
        Assert.All(server.GetTokens, request => Assert.Equal(StubServer.EnrollmentId, request.EnrollmentId));
        Assert.Equal(2, server.GetTokens.Select(request => request.RequestId).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task A_send_limit_names_the_seconds_and_the_question_stays()
    {
        await using var server = await StubServer.StartAsync();
        server.OnEnable = _ => StubServer.SentEnrollment();
        server.OnGetToken = _ => throw StubServer.SendLimit("account_interval", 60);

        var talk = await MfaProgram.TalkAsync(server, "mk EMAIL --username alice",
        [
            .. SignIn[1..],
            ("text file? ", "\r"),
            (QuestionToAPerson, "\r"),
            ("Nothing was sent: the last message to this account is too recent. Wait 60 s for a new one; ", ""),
            (QuestionToAPerson, "123456\r"),
            ("MFA via EMAIL is ready.", ""),
        ]);

        Assert.Equal(0, talk.ExitCode);
    }

    [Fact]
    public async Task Another_failure_to_send_again_leaves_the_enrolment_pending()
    {
        await using var server = await StubServer.StartAsync();
        server.OnEnable = _ => StubServer.SentEnrollment();
        server.OnGetToken = _ => throw StubServer.Error(StatusCode.Internal, ErrorReason.Internal);

        var talk = await MfaProgram.TalkAsync(server, "mk EMAIL --username alice",
        [
            .. SignIn[1..],
            ("text file? ", "\r"),
            (QuestionToAPerson, "\r"),
            ($"Go on with: mfa verify --enrollment-id {StubServer.EnrollmentId}\n", ""),
            ($"To have a new code sent: mfa get-token --enrollment-id {StubServer.EnrollmentId}\n", ""),
            ("The server refused: Words of the server.\n", ""),
        ]);

        Assert.Equal(1, talk.ExitCode);
        Assert.Empty(server.Verifies);
    }

    [Fact]
    public async Task An_empty_line_of_a_script_is_a_wrong_code_and_sends_nothing()
    {
        await using var server = await StubServer.StartAsync();
        server.OnEnable = _ => StubServer.SentEnrollment();

        var run = await MfaProgram.RunAsync(
            server, "--account alice mk EMAIL --email a@example.org", "n\n\nr\n\n123456\n", Key);

        Assert.Equal(1, run.ExitCode);
        Assert.Equal(["", "r", ""], server.Verifies.Select(request => request.Code));
        Assert.Empty(server.GetTokens);
        Assert.Contains("To have a new code sent: mfa get-token", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_app_has_no_code_to_send_again()
    {
        await using var server = await StubServer.StartAsync();

        var talk = await MfaProgram.TalkAsync(server, "mk AUTHENTICATOR --username alice",
        [
            .. SignIn[1..],
            ("phone", "\r"), ("security key", "\r"), ("text file? ", "\r"),
            ($"{Question}: ", "\r"),
            ("That code was not accepted. 2 tries left.", ""),
            ($"{Question}: ", "123456\r"),
        ]);

        Assert.Equal(0, talk.ExitCode);
        Assert.Empty(server.GetTokens);
    }

    [Fact]
    public async Task Json_prints_the_enrolment_and_asks_nothing()
    {
        await using var server = await StubServer.StartAsync();
        server.OnEnable = request => StubServer.SentEnrollment(request.Method);

        var run = await MfaProgram.RunAsync(
            server, "--output json --account alice mk SMS --phone 4165550123", environment: Key);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal("METHOD_SMS", run.Json.GetProperty("method").GetString());
        Assert.Equal("+1 *** *** **23", run.Json.GetProperty("destination").GetString());
        Assert.Empty(server.Verifies);
    }

    [Fact]
    public async Task A_service_must_say_where_codes_go()
    {
        await using var server = await StubServer.StartAsync();

        var run = await MfaProgram.RunAsync(server, "--account alice mk EMAIL", environment: Key);

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Equal("EMAIL with an API key needs --email, such as --email alice@example.org\n", run.Error);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("+14165550123", "+14165550123")]
    [InlineData("+1-(416)-555.0123", "+14165550123")]
    [InlineData("+1\t416\t555\t0123", "+14165550123")]
    [InlineData("1234567", "1234567")]
    [InlineData("123456789012345", "123456789012345")]
    public async Task A_phone_is_sent_without_what_only_helps_to_read_it(string typed, string sent)
    {
        await using var server = await StubServer.StartAsync();
        server.OnEnable = request => StubServer.SentEnrollment(request.Method);

        await MfaProgram.RunAsync(server, $"--account alice mk SMS --phone {typed}", "n\n123456\n", Key);

        Assert.Equal(sent, Assert.IsType<EnableRequest>(server.Requests.First()).Phone);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--phone 123456")]
    [InlineData("--phone 1234567890123456")]
    [InlineData("--phone 416-555-CALL")]
    [InlineData("--phone ++14165550123")]
    [InlineData("--phone 1+4165550123")]
    [InlineData("--phone \u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668")]
    public async Task A_phone_that_cannot_be_one_is_refused_before_anything_is_asked(string phone)
    {
        await using var server = await StubServer.StartAsync();

        var run = await MfaProgram.RunAsync(server, $"mk SMS {phone}", "alice\nsecret\n");

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Equal("SMS needs --phone with 7 to 15 digits, such as +14165550123\n", run.Error);
        Assert.Empty(server.Requests);
    }
}
