using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Mfa.V1;

namespace Mfa.Client.Tests;

/// <summary>Whatever goes wrong, it is exit code 1, words for a person, and one document for a program.</summary>
public sealed class RefusalTests
{
    public static TheoryData<int, string> AllStatusCodes =>
    [
        .. from code in Enumerable.Range(0, 17)
           from output in (string[])["table", "json"]
           select (code, $"verify 123456 --output {output}"),
        .. from code in (StatusCode[])[StatusCode.OK, StatusCode.Unknown, StatusCode.Internal]
           from verb in (string[])["mk AUTHENTICATOR", "status", "recovery-codes", "get-token", "rm", "rm --confirm"]
           select ((int)code, verb),
    ];

    [Theory]
    [MemberData(nameof(AllStatusCodes))]
    public async Task No_status_code_is_ever_a_success(int code, string verb)
    {
        await using var server = await StubServer.StartAsync();
        server.FailEverythingWith(new RpcException(new Grpc.Core.Status((StatusCode)code, "Accepted? No.")));

        var run = await MfaProgram.RunAsync(server, $"--account a {verb}", "123456\n", ["MFA_API_KEY=k"]);

        Assert.Equal(1, run.ExitCode);
        if (verb.EndsWith("json", StringComparison.Ordinal)) Assert.Equal(["error"], run.JsonFields);
        else Assert.Equal("", run.Output);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    public static TheoryData<ErrorReason, StatusCode, string> Reasons => new()
    {
        { ErrorReason.Unauthenticated, StatusCode.Unauthenticated, "API key not accepted." },
        {
            ErrorReason.CallerNotAllowed, StatusCode.PermissionDenied,
            "This API key may not do that: look at its scopes and at the account."
        },
        {
            ErrorReason.NotEnabled, StatusCode.FailedPrecondition,
            "No second factor is enabled. Enable one with: mfa mk AUTHENTICATOR"
        },
        {
            ErrorReason.EnrollmentNotFound, StatusCode.FailedPrecondition,
            "This enrolment is unknown, finished, replaced or expired. Start again with: mfa mk"
        },
        {
            ErrorReason.CodeRefused, StatusCode.PermissionDenied,
            "The current code was not accepted. It counted as a guess."
        },
        {
            ErrorReason.Locked, StatusCode.ResourceExhausted,
            "Blocked after too many wrong codes, until the account is enrolled again with a recovery code."
        },
        {
            ErrorReason.StoreUnavailable, StatusCode.Unavailable,
            "The server cannot reach its store; nothing was accepted."
        },
        {
            ErrorReason.MethodSendsNoCode, StatusCode.FailedPrecondition,
            "An authenticator app computes these codes: there is none to send. Look at the app."
        },
        {
            ErrorReason.NoEmail, StatusCode.FailedPrecondition,
            "No e-mail address is on record that a token could be sent to. Enrol again with one: mfa mk --email"
        },
        {
            ErrorReason.TokenRefused, StatusCode.PermissionDenied,
            "The token was not accepted: it is wrong, used, expired or voided by a newer one. Ask for a new one "
            + "with: mfa rm"
        },
        {
            ErrorReason.DestinationNotAllowed, StatusCode.PermissionDenied,
            "The server sends no SMS to that country. Use another phone or another method."
        },
        {
            ErrorReason.UnknownMethod, StatusCode.Unimplemented,
            "The server does not know this call: the server is older than this client."
        },
        {
            ErrorReason.MessageTooLarge, StatusCode.ResourceExhausted,
            "What was given is larger than the server reads. Sending it again does not help: shorten it."
        },
        { ErrorReason.Conflict, StatusCode.Aborted, "The server refused: Words of the server." },
        { ErrorReason.Internal, StatusCode.Internal, "The server refused: Words of the server." },
    };

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task Every_reason_has_its_words(ErrorReason reason, StatusCode status, string words)
    {
        await using var server = await StubServer.StartAsync();
        server.FailEverythingWith(StubServer.Error(status, reason));

        var table = await RunAsync(server, "status");
        var json = await RunAsync(server, "--output json status");

        Assert.Equal((1, "", words + "\n"), (table.ExitCode, table.Output, table.Error));
        var error = json.Json.GetProperty("error");
        Assert.Equal(words, error.GetProperty("message").GetString());
        Assert.Equal(reason.ToString().ToUpperInvariant(), error.GetProperty("reason").GetString()!.Replace("_", "", StringComparison.Ordinal));
        Assert.Equal(status.ToString().ToUpperInvariant(), error.GetProperty("status").GetString()!.Replace("_", "", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_person_is_told_about_name_and_password()
    {
        await using var server = await StubServer.StartAsync();
        server.FailEverythingWith(StubServer.Error(StatusCode.Unauthenticated, ErrorReason.Unauthenticated));

        var run = await MfaProgram.RunAsync(server, "--username alice status", "wrong\n");

        Assert.Equal((1, "Password: \nName or password not accepted.\n"), (run.ExitCode, run.Error));
    }

    [Theory]
    [InlineData(30, 0, "30 s")]
    [InlineData(59, 500_000_000, "1 min 0 s")]
    [InlineData(3600, 0, "1 h 0 min")]
    public async Task A_lock_says_how_long_to_wait(long seconds, int nanos, string words)
    {
        await using var server = await StubServer.StartAsync();
        server.FailEverythingWith(StubServer.Error(
            StatusCode.ResourceExhausted, ErrorReason.Locked, new RetryInfo { RetryDelay = new Duration { Seconds = seconds, Nanos = nanos } }));

        var table = await RunAsync(server, "status");
        var json = await RunAsync(server, "--output json status");

        Assert.Equal($"Locked after too many wrong codes. Try again in {words}.\n", table.Error);
        Assert.Equal(seconds + (nanos > 0 ? 1 : 0), json.Json.GetProperty("error").GetProperty("retry_after_seconds").GetInt64());
    }

    [Theory]
    [InlineData("account_interval", "Nothing was sent: the last message to this account is too recent.")]
    [InlineData("account_hour", "Nothing was sent: this account has had all its messages of this hour.")]
    [InlineData("destination_day", "Nothing was sent: this address or phone has had all its messages of today.")]
    [InlineData("caller_day", "Nothing was sent: this caller has had all its messages of today.")]
    [InlineData(
        "server_day", "Nothing was sent: the server has sent all it may today, or sending is switched off.")]
    [InlineData("a_new_one", "Nothing was sent: too many messages (a_new_one).")]
    public async Task A_send_limit_says_which_and_how_long_to_wait(string limit, string words)
    {
        await using var server = await StubServer.StartAsync();
        server.FailEverythingWith(StubServer.SendLimit(limit, 125));

        foreach (var verb in (string[])["get-token", "rm", "mk EMAIL --email a@example.org"])
        {
            var table = await RunAsync(server, verb);
            var json = await RunAsync(server, $"--output json {verb}");

            Assert.Equal((1, "", $"{words} Try again in 2 min 5 s.\n"), (table.ExitCode, table.Output, table.Error));
            var error = json.Json.GetProperty("error");
            Assert.Equal("SEND_LIMIT", error.GetProperty("reason").GetString());
            Assert.Equal(words, error.GetProperty("message").GetString());
            Assert.Equal(125, error.GetProperty("retry_after_seconds").GetInt64());
        }
    }

    [Fact]
    public async Task Json_names_every_bad_field()
    {
        await using var server = await StubServer.StartAsync();
        server.FailEverythingWith(InvalidFields(("account", "1 to 128 characters."), ("code", "Exactly 6 digits.")));

        var table = await RunAsync(server, "verify 12");
        var json = await RunAsync(server, "--output json verify 12");

        Assert.Equal("Not accepted as given:\n  account: 1 to 128 characters.\n  code: Exactly 6 digits.\n", table.Error);
        Assert.Equal(
            """{"error":{"reason":"INVALID_FIELD","status":"INVALID_ARGUMENT","message":"Not accepted as given:","fields":[{"field":"account","message":"1 to 128 characters."},{"field":"code","message":"Exactly 6 digits."}],"retry_after_seconds":null}}""" + "\n",
            json.Output);
    }

    [Fact]
    public async Task Control_characters_of_the_server_never_reach_the_terminal()
    {
        const string Evil = "x\u001b[2J\u009b1mAccepted\r\n\u202e\u0007";
        await using var server = await StubServer.StartAsync();
        server.OnVerify = _ => throw InvalidFields((Evil, Evil));
        server.OnEnable = _ => throw new RpcException(new Grpc.Core.Status(StatusCode.Internal, Evil));
        server.OnGetStatus = _ => new() { State = State.Enabled, Destination = Evil, Pending = new() { EnrollmentId = Evil } };
        server.OnRegenerate = _ => new() { RecoveryCodes = { Evil } };
        server.OnGetToken = _ => new() { Method = V1.Method.Email, Destination = Evil };
        server.OnDisable = _ => new() { Destination = Evil, ExpireTime = StubServer.Noon };
        server.OnConfirmDisable = _ => throw StubServer.SendLimit(Evil, 1);

        string[] verbs =
        [
            "verify 1", "mk AUTHENTICATOR", "status", "recovery-codes", "get-token",
            "rm --request-only", "rm --confirm",
        ];
        foreach (var verb in verbs)
        {
            foreach (var output in (string[])["table", "json"])
            {
                var run = await MfaProgram.RunAsync(server, $"--account a --output {output} {verb}", "1\n", ["MFA_API_KEY=k"]);

                Assert.DoesNotContain(run.Output + run.Error, c => (char.IsControl(c) && c != '\n') || c == '\u202e');
                if (output == "json") Assert.Single(run.OutputLines);
            }
        }
    }

    [Fact]
    public async Task Details_that_do_not_parse_change_nothing()
    {
        await using var server = await StubServer.StartAsync();
        var trailers = new Metadata { { "grpc-status-details-bin", [0xff, 0xff, 0xff] } };
        server.FailEverythingWith(new RpcException(new Grpc.Core.Status(StatusCode.PermissionDenied, "no"), trailers));

        var run = await RunAsync(server, "status");

        Assert.Equal((1, "The server refused: no\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task A_reason_of_another_domain_is_not_taken_for_ours()
    {
        await using var server = await StubServer.StartAsync();
        server.FailEverythingWith(new Google.Rpc.Status
        {
            Code = (int)StatusCode.Unavailable,
            Message = "proxy",
            Details = { Any.Pack(new ErrorInfo { Domain = "proxy.example", Reason = "NOT_ENABLED" }) },
        }.ToRpcException());

        var run = await RunAsync(server, "--output json status");

        Assert.Equal("UNAVAILABLE", run.Json.GetProperty("error").GetProperty("reason").GetString());
    }

    private static Task<Finished> RunAsync(StubServer server, string arguments) =>
        MfaProgram.RunAsync(server, $"--account a {arguments}", environment: ["MFA_API_KEY=k"]);

    private static RpcException InvalidFields(params (string Field, string Words)[] faults)
    {
        var bad = new BadRequest();
        foreach (var (field, words) in faults)
            bad.FieldViolations.Add(new BadRequest.Types.FieldViolation { Field = field, Description = words });
        return StubServer.Error(StatusCode.InvalidArgument, ErrorReason.InvalidField, bad);
    }
}
