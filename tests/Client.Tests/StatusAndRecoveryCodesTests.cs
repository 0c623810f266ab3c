using Google.Protobuf.WellKnownTypes;
using Mfa.V1;
using Method = Mfa.V1.Method;

namespace Mfa.Client.Tests;

public sealed class StatusAndRecoveryCodesTests
{
    private static readonly GetStatusResponse Full = new()
    {
        State = State.Enabled,
        Method = Method.Authenticator,
        EnableTime = new Timestamp { Seconds = 1777636800 },
        Destination = "j***@e***.org",
        RecoveryCodesRemaining = 7,
        LockedUntil = new Timestamp { Seconds = 1777636860, Nanos = 250_000_000 },
        Pending = new PendingEnrollment
        {
            EnrollmentId = StubServer.EnrollmentId,
            Method = Method.Authenticator,
            ExpireTime = new Timestamp { Seconds = 1777640400 },
        },
    };

    [Fact]
    public async Task Status_is_an_aligned_table()
    {
        await using var server = await StubServer.StartAsync();
        server.OnGetStatus = _ => Full;

        var run = await RunAsync(server, "status");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(
            """
            State           ENABLED
            Method          AUTHENTICATOR
            Enabled since   2026-05-01T12:00:00Z
            E-mail          j***@e***.org
            Recovery codes  7 left
            Locked until    2026-05-01T12:01:00.25Z
            Pending until   2026-05-01T13:00:00Z

            """, run.Output);
        Assert.Equal($"To finish the pending enrolment: mfa verify --enrollment-id {StubServer.EnrollmentId}\n", run.Error);
    }

    [Fact]
    public async Task Status_of_an_account_without_a_factor_has_no_holes()
    {
        await using var server = await StubServer.StartAsync();

        var run = await RunAsync(server, "status");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(7, run.OutputLines.Length);
        Assert.Contains("State           DISABLED\nMethod          -\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_as_json_has_the_fields_of_the_reply()
    {
        await using var server = await StubServer.StartAsync();
        server.OnGetStatus = _ => Full;

        var run = await RunAsync(server, "status --output json");

        Assert.Equal(
            """{"state":"STATE_ENABLED","method":"METHOD_AUTHENTICATOR","enable_time":"2026-05-01T12:00:00Z","disable_time":null,"destination":"j***@e***."""
            + """org","recovery_codes_remaining":7,"locked_until":"2026-05-01T12:01:00.25"""
            + """Z","pending":{"enrollment_id":"0b3e5b0c-6f0e-4d7e-9d55-3c1f6b1f2a90","method":"METHOD_AUTHENTICATOR","expire_time":"2026-05-01T13:00:00"""
            + """Z"},"delivery":null,"recovery_codes_stale":false}""" + "\n",
            run.Output);
    }

    [Theory]
    [InlineData(DeliveryState.Queued, 0, "Code delivery   QUEUED since 2026-05-01T12:00:00Z, 0 attempts")]
    [InlineData(DeliveryState.Sent, 1, "Code delivery   SENT since 2026-05-01T12:00:00Z, 1 attempt")]
    [InlineData(DeliveryState.Failed, 4, "Code delivery   FAILED since 2026-05-01T12:00:00Z, 4 attempts")]
    [InlineData((DeliveryState)77, 4, "Code delivery   77 since 2026-05-01T12:00:00Z, 4 attempts")]
    public async Task Status_tells_how_far_a_sent_code_has_got(DeliveryState state, int attempts, string row)
    {
        await using var server = await StubServer.StartAsync();
        server.OnGetStatus = _ => new()
        {
            State = State.Enabled,
            Method = Method.Email,
            Destination = "j***@e***.org",
            Delivery = new Delivery { State = state, UpdateTime = StubServer.Noon, Attempts = attempts },
        };

        var table = await RunAsync(server, "status");
        var json = await RunAsync(server, "status --output json");

        Assert.Equal(8, table.OutputLines.Length);
        Assert.Equal(row, table.OutputLines[7]);
        Assert.Contains("E-mail          j***@e***.org\n", table.Output, StringComparison.Ordinal);
        var delivery = json.Json.GetProperty("delivery");
        Assert.Equal(["state", "update_time", "attempts"], delivery.EnumerateObject().Select(field => field.Name));
        Assert.Equal(attempts, delivery.GetProperty("attempts").GetInt32());
    }

    [Theory]
    [InlineData(Method.Sms, Method.Unspecified)]
    [InlineData(Method.Unspecified, Method.Sms)]
    public async Task A_phone_is_not_called_an_e_mail(Method inForce, Method enrolling)
    {
        await using var server = await StubServer.StartAsync();
        server.OnGetStatus = _ => new()
        {
            State = State.Enabled,
            Method = inForce,
            Destination = "+1 *** *** **23",
            Pending = enrolling == Method.Unspecified ? null : new PendingEnrollment { Method = enrolling },
        };

        var run = await RunAsync(server, "status");

        Assert.Contains("Phone           +1 *** *** **23\n", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("E-mail", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_tells_that_recovery_codes_are_to_be_made_anew()
    {
        await using var server = await StubServer.StartAsync();
        server.OnGetStatus = _ => new() { State = State.Enabled, Method = Method.Authenticator, RecoveryCodesStale = true };

        var table = await RunAsync(server, "status");
        var json = await RunAsync(server, "status --output json");

        Assert.Equal("The account was restored from a backup. Make new recovery codes: mfa recovery-codes\n", table.Error);
        Assert.True(json.Json.GetProperty("recovery_codes_stale").GetBoolean());
    }

    [Theory]
    [InlineData("table")]
    [InlineData("json")]
    public async Task A_status_that_says_nothing_is_a_failure(string output)
    {
        await using var server = await StubServer.StartAsync();
        server.OnGetStatus = _ => new GetStatusResponse();

        Assert.Equal(1, (await RunAsync(server, $"status --output {output}")).ExitCode);
    }

    [Fact]
    public async Task A_time_that_no_calendar_has_is_left_out()
    {
        await using var server = await StubServer.StartAsync();
        server.OnGetStatus = _ => new() { State = State.Enabled, EnableTime = new Timestamp { Seconds = long.MaxValue } };

        var run = await RunAsync(server, "status");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Enabled since   -\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task New_recovery_codes_are_alone_on_standard_output()
    {
        await using var server = await StubServer.StartAsync();

        var run = await RunAsync(server, "recovery-codes", "123456\n");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(StubServer.RecoveryCodes, run.OutputLines);
        Assert.DoesNotContain("text file", run.Error, StringComparison.Ordinal);
        Assert.Equal(new RegenerateRecoveryCodesRequest { Account = "alice", Code = "123456" }, server.Requests.Single());
    }

    [Fact]
    public async Task New_recovery_codes_as_json()
    {
        await using var server = await StubServer.StartAsync();

        var run = await RunAsync(server, "recovery-codes --output json", "123456\n");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(["recovery_codes"], run.JsonFields);
        Assert.Equal(8, run.Json.GetProperty("recovery_codes").GetArrayLength());
    }

    [Theory]
    [InlineData("", 2)]
    [InlineData("123456\n", 1)]
    public async Task Without_codes_in_the_reply_or_a_code_to_ask_with_it_failed(string input, int exitCode)
    {
        await using var server = await StubServer.StartAsync();
        server.OnRegenerate = _ => new RegenerateRecoveryCodesResponse();

        Assert.Equal(exitCode, (await RunAsync(server, "recovery-codes", input)).ExitCode);
    }

    [Fact]
    public async Task On_a_terminal_new_recovery_codes_can_be_saved()
    {
        await using var server = await StubServer.StartAsync();
        using var folder = new TemporaryFolder();

        var talk = await MfaProgram.TalkAsync(server, "recovery-codes --username alice",
        [
            ("Password: ", "secret\r"),
            ("Enter a current code (or a recovery code): ", "123456\r"),
            (StubServer.RecoveryCodes[7], ""),
            ("Would you like to save the codes into a text file? [y/N] ", "y\r"),
            ("Written alice_recovery_codes.txt with recovery codes.\n", ""),
        ], folder: folder.Path);

        Assert.Equal(0, talk.ExitCode);
        Assert.Equal(StubServer.RecoveryCodes, File.ReadAllLines(folder.File("alice_recovery_codes.txt")));
    }

    private static Task<Finished> RunAsync(StubServer server, string arguments, string input = "") =>
        MfaProgram.RunAsync(server, $"--account alice {arguments}", input, ["MFA_API_KEY=k"]);
}
