using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Mfa.V1;
using Method = Mfa.V1.Method;

namespace Mfa.Client.Tests;

/// <summary><c>mfa mk</c> as a script meets it, through pipes.</summary>
public sealed class MkPipeTests
{
    private static readonly string[] Closing = ["Verification is complete.", "MFA via AUTHENTICATOR is ready."];

    [Fact]
    public async Task Answers_are_read_line_by_line_in_the_order_of_the_questions()
    {
        await using var server = await StubServer.StartAsync();

        var run = await MfaProgram.RunAsync(server, "mk AUTHENTICATOR", "alice\npass word \nn\ny\nn\n 123456 \n");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal([StubServer.Secret, .. StubServer.RecoveryCodes, .. Closing], run.OutputLines);
        Assert.DoesNotContain("Repeat", run.Error, StringComparison.Ordinal);
        Assert.Equal("Basic " + Convert.ToBase64String("alice:pass word "u8), server.Authorizations.First());
        Assert.Equal("123456", Assert.Single(server.Verifies).Code);
    }

    [Fact]
    public async Task The_request_carries_what_the_flags_say()
    {
        await using var server = await StubServer.StartAsync();

        await MfaProgram.RunAsync(
            server, "--account @bob mk aUtHeNtIcAtOr --label desk --email bob@example.org --locale fr-CA", environment: ["MFA_API_KEY=k"]);

        var request = Assert.IsType<EnableRequest>(server.Requests.Single());
        Assert.Equal(
            new EnableRequest { Account = "@bob", Method = Method.Authenticator, Label = "desk", Email = "bob@example.org", Locale = "fr-CA" },
            request);
    }

    [Theory]
    [InlineData("EMAIL --email a@example.org", Method.Email)]
    [InlineData("sms --phone +14165550123", Method.Sms)]
    public async Task Other_methods_are_for_the_server_to_refuse(string method, Method sent)
    {
        await using var server = await StubServer.StartAsync();
        server.OnEnable = _ => throw StubServer.Error(StatusCode.InvalidArgument, ErrorReason.InvalidField, new BadRequest
        {
            FieldViolations = { new BadRequest.Types.FieldViolation { Field = "method", Description = "This version offers AUTHENTICATOR." } },
        });

        var run = await MfaProgram.RunAsync(server, $"--account a mk {method}", environment: ["MFA_API_KEY=k"]);

        Assert.Equal(1, run.ExitCode);
        Assert.Equal("Not accepted as given:\n  method: This version offers AUTHENTICATOR.\n", run.Error);
        Assert.Equal(sent, Assert.IsType<EnableRequest>(server.Requests.Single()).Method);
    }

    [Fact]
    public async Task Json_prints_the_whole_enrolment_and_asks_nothing_about_it()
    {
        await using var server = await StubServer.StartAsync();

        var run = await MfaProgram.RunAsync(server, "mk AUTHENTICATOR --username alice --output json", "secret\n");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal("Password: \n", run.Error);
        Assert.Equal(
            ["enrollment_id", "method", "account", "issuer", "secret", "otpauth_uri", "qr_code_svg", "recovery_codes", "destination", "expire_time"],
            run.JsonFields);
        Assert.Equal("METHOD_AUTHENTICATOR", run.Json.GetProperty("method").GetString());
        Assert.Equal(StubServer.KeyUri, run.Json.GetProperty("otpauth_uri").GetString());
        Assert.Equal(8, run.Json.GetProperty("recovery_codes").GetArrayLength());
        Assert.Equal("2026-05-01T12:00:00Z", run.Json.GetProperty("expire_time").GetString());
        Assert.Empty(server.Verifies);
    }

    [Theory]
    [InlineData("", "table")]
    [InlineData("654321\n", "json")]
    public async Task An_enabled_factor_is_replaced_only_with_a_current_code(string input, string output)
    {
        await using var server = await StubServer.StartAsync();
        server.OnEnable = request => request.Code == "654321"
            ? StubServer.Enrollment()
            : throw StubServer.Error(StatusCode.FailedPrecondition, ErrorReason.AlreadyEnabled);

        var run = await MfaProgram.RunAsync(server, $"--account a --output {output} mk AUTHENTICATOR", input, ["MFA_API_KEY=k"]);

        Assert.Equal(input.Length > 0 ? 0 : 1, run.ExitCode);
        Assert.Equal(input.Length > 0 ? 2 : 1, server.Requests.Count);
    }

    [Fact]
    public async Task Three_wrong_codes_leave_the_enrolment_pending_and_say_how_to_go_on()
    {
        await using var server = await StubServer.StartAsync();
        server.OnVerify = request => request.Code == "12x"
            ? throw StubServer.Error(StatusCode.InvalidArgument, ErrorReason.InvalidField, new BadRequest
            {
                FieldViolations = { new BadRequest.Types.FieldViolation { Field = "code", Description = "Exactly 6 digits." } },
            })
            : new() { Verdict = Verdict.Rejected, AttemptsRemaining = 3 };

        var run = await MfaProgram.RunAsync(server, "--account a mk AUTHENTICATOR", "n\nn\nn\n000000\n12x\n000001\n123456\n", ["MFA_API_KEY=k"]);

        Assert.Equal(1, run.ExitCode);
        Assert.Equal(StubServer.RecoveryCodes, run.OutputLines);
        AssertInOrder(run.Error,
            "That code was not accepted. 2 tries left.", "  code: Exactly 6 digits.\n1 try left.", "That code was not accepted. No tries left.",
            $"The enrolment stays pending until 2026-05-01T12:00:00Z. Go on with: mfa verify --enrollment-id {StubServer.EnrollmentId}");
        Assert.Equal(3, server.Verifies.Select(verify => verify.RequestId).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task A_lock_ends_the_tries()
    {
        await using var server = await StubServer.StartAsync();
        server.OnVerify = _ => new() { Verdict = Verdict.Locked, RetryTime = new Timestamp { Seconds = 1777636800 } };

        var run = await MfaProgram.RunAsync(server, "--account a mk AUTHENTICATOR", "n\nn\nn\n000000\n123456\n", ["MFA_API_KEY=k"]);

        Assert.Equal(1, run.ExitCode);
        Assert.Single(server.Verifies);
        AssertInOrder(run.Error, "Locked until 2026-05-01T12:00:00Z.", "The enrolment stays pending");
    }

    [Theory]
    [InlineData("", 2, "No username")]
    [InlineData("alice\n", 2, "No password")]
    [InlineData("alice\npw\n", 1, "The input ended before a code was given.\nThe enrolment stays pending")]
    [InlineData("alice\npw\nn\nn\nn\n000000\n", 1, "The input ended before a code was given.\nThe enrolment stays pending")]
    public async Task The_end_of_the_input_is_said_and_no_success(string input, int exitCode, string said)
    {
        await using var server = await StubServer.StartAsync();

        var run = await MfaProgram.RunAsync(server, "mk AUTHENTICATOR", input);

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("ready", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_question_names_as_many_digits_as_the_app_will_show()
    {
        await using var server = await StubServer.StartAsync();
        server.OnEnable = _ =>
        {
            var enrollment = StubServer.Enrollment();
            enrollment.OtpauthUri = enrollment.OtpauthUri.Replace("digits=6", "digits=8", StringComparison.Ordinal);
            return enrollment;
        };

        var run = await MfaProgram.RunAsync(server, "--account a mk AUTHENTICATOR", "n\nn\nn\n", ["MFA_API_KEY=k"]);

        Assert.Contains("Enter the 8-digit Code to verify enrolment was successful:", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("table")]
    [InlineData("json")]
    public async Task An_empty_reply_enrols_nobody(string output)
    {
        await using var server = await StubServer.StartAsync();
        server.OnEnable = _ => new EnableResponse();

        var run = await MfaProgram.RunAsync(server, $"--account a --output {output} mk AUTHENTICATOR", "n\nn\nn\n123456\n", ["MFA_API_KEY=k"]);

        Assert.Equal(1, run.ExitCode);
        Assert.Empty(server.Verifies);
    }

    private static void AssertInOrder(string text, params string[] parts)
    {
        var position = 0;
        foreach (var part in parts)
        {
            var found = text.IndexOf(part, position, StringComparison.Ordinal);
            Assert.True(found >= 0, $"Missing or out of order: {part}\nIn: {text}");
            position = found + part.Length;
        }
    }
}
