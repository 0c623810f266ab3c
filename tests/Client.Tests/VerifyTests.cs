using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Mfa.V1;

namespace Mfa.Client.Tests;

public sealed class VerifyTests
{
    private static readonly Timestamp Noon = new() { Seconds = 1777636800 };

    [Fact]
    public async Task A_right_code_is_accepted()
    {
        await using var server = await StubServer.StartAsync();

        var run = await VerifyAsync(server, "123456");

        Assert.Equal((0, "Accepted. Factor: AUTHENTICATOR.\n", ""), (run.ExitCode, run.Output, run.Error));
        var request = Assert.Single(server.Verifies);
        Assert.Equal(("alice", "123456", ""), (request.Account, request.Code, request.EnrollmentId));
        Assert.True(Guid.TryParse(request.RequestId, out _));
    }

    [Theory]
    [InlineData(3, "")]
    [InlineData(2, "Few recovery codes are left. Get new ones with: mfa recovery-codes\n")]
    [InlineData(0, "Few recovery codes are left. Get new ones with: mfa recovery-codes\n")]
    public async Task A_recovery_code_says_how_many_are_left(int left, string hint)
    {
        await using var server = await StubServer.StartAsync();
        server.OnVerify = _ => new() { Verdict = Verdict.Accepted, Factor = Factor.RecoveryCode, RecoveryCodesRemaining = left };

        var run = await VerifyAsync(server, StubServer.RecoveryCodes[0]);

        Assert.Equal((0, $"Accepted. Factor: RECOVERY_CODE, {left} left.\n", hint), (run.ExitCode, run.Output, run.Error));
    }

    public static TheoryData<int, int, bool, string> Refusals => new()
    {
        { (int)Verdict.Rejected, 4, false, "Rejected. 4 attempts left.\n" },
        { (int)Verdict.Rejected, 1, false, "Rejected. 1 attempt left.\n" },
        { (int)Verdict.Rejected, 0, true, "Rejected. Locked until 2026-05-01T12:00:00Z.\n" },
        { (int)Verdict.Rejected, 0, false, "Rejected. 0 attempts left.\n" },
        { (int)Verdict.Locked, 0, true, "Locked until 2026-05-01T12:00:00Z. The code was not looked at.\n" },
        { (int)Verdict.Locked, 0, false, "Blocked until the account is enrolled again with a recovery code. The code was not looked at.\n" },
        { 0, 0, false, "Refused: the server answered VERDICT_UNSPECIFIED, which is no success this client knows.\n" },
        { 99, 5, false, "Refused: the server answered 99, which is no success this client knows.\n" },
        { -1, 5, false, "Refused: the server answered -1, which is no success this client knows.\n" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Every_other_verdict_is_a_refusal(int verdict, int attempts, bool locked, string words)
    {
        await using var server = await StubServer.StartAsync();
        server.OnVerify = _ => new()
        {
            Verdict = (Verdict)verdict,
            Factor = Factor.Authenticator,
            AttemptsRemaining = attempts,
            RetryTime = locked ? Noon : null,
        };

        var table = await VerifyAsync(server, "123456");
        var json = await VerifyAsync(server, "123456 --output json");

        Assert.Equal((1, words), (table.ExitCode, table.Output));
        Assert.Equal(1, json.ExitCode);
        Assert.DoesNotContain("ACCEPTED", json.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("table")]
    [InlineData("json")]
    public async Task An_empty_reply_is_a_refusal(string output)
    {
        await using var server = await StubServer.StartAsync();
        server.OnVerify = _ => new VerifyResponse();

        var run = await VerifyAsync(server, $"123456 --output {output}");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("VERDICT_UNSPECIFIED", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_the_fields_of_the_reply()
    {
        await using var server = await StubServer.StartAsync();
        server.OnVerify = _ => new() { Verdict = Verdict.Rejected, Factor = Factor.Authenticator, AttemptsRemaining = 2, RetryTime = Noon, RecoveryCodesRemaining = 7 };

        var run = await VerifyAsync(server, "000000 --output json");

        Assert.Equal(
            """{"verdict":"VERDICT_REJECTED","factor":"FACTOR_AUTHENTICATOR","attempts_remaining":2,"retry_time":"2026-05-01T12:00:00Z","recovery_codes_remaining":7}""" + "\n",
            run.Output);
        Assert.Equal("", run.Error);
    }

    [Theory]
    [InlineData("123456\n")]
    [InlineData("123456\r\n")]
    [InlineData("  123456")]
    public async Task Without_an_argument_the_code_is_a_line_of_standard_input(string input)
    {
        await using var server = await StubServer.StartAsync();

        var run = await VerifyAsync(server, "", input);

        Assert.Equal((0, "Accepted. Factor: AUTHENTICATOR.\n", "Enter the code: \n"), (run.ExitCode, run.Output, run.Error));
        Assert.Equal("123456", Assert.Single(server.Verifies).Code);
    }

    [Fact]
    public async Task Without_any_code_nothing_is_sent()
    {
        await using var server = await StubServer.StartAsync();

        var run = await VerifyAsync(server, "");

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains("No code", run.Error, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task An_enrolment_is_finished_by_its_id()
    {
        await using var server = await StubServer.StartAsync();

        await VerifyAsync(server, $"123456 --enrollment-id {StubServer.EnrollmentId} --request-id 5c7c5e0e-0000-4000-8000-000000000001");

        var request = Assert.Single(server.Verifies);
        Assert.Equal((StubServer.EnrollmentId, "5c7c5e0e-0000-4000-8000-000000000001"), (request.EnrollmentId, request.RequestId));
    }

    [Fact]
    public async Task A_reply_lost_on_its_way_is_asked_for_again_under_the_same_request_id()
    {
        await using var server = await StubServer.StartAsync();
        using var relay = new CuttingRelay(server.Endpoint);
        var accepted = server.OnVerify;
        server.OnVerify = request =>
        {
            if (server.Verifies.Count == 1) relay.Cut();
            return accepted(request);
        };

        var run = await MfaProgram.RunAsync(null, $"--endpoint {relay.Endpoint} --account alice verify 123456", environment: ["MFA_API_KEY=k"]);

        Assert.Equal((0, "Accepted. Factor: AUTHENTICATOR.\n"), (run.ExitCode, run.Output));
        Assert.Equal(2, server.Verifies.Count);
        Assert.Equal(server.Verifies[0], server.Verifies[1]);
    }

    [Fact]
    public async Task After_three_failures_it_gives_up_and_names_the_request_id()
    {
        await using var server = await StubServer.StartAsync();
        server.FailEverythingWith(StubServer.Error(StatusCode.Unavailable, ErrorReason.StoreUnavailable));

        var run = await VerifyAsync(server, "123456");

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Equal(3, server.Verifies.Count);
        var id = Assert.Single(server.Verifies.Select(request => request.RequestId).Distinct(StringComparer.Ordinal));
        Assert.Contains($"--request-id {id}", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StatusCode.Aborted)]
    [InlineData(StatusCode.DeadlineExceeded)]
    [InlineData(StatusCode.Internal)]
    [InlineData(StatusCode.ResourceExhausted)]
    public async Task Nothing_but_UNAVAILABLE_is_repeated(StatusCode status)
    {
        await using var server = await StubServer.StartAsync();
        server.FailEverythingWith(new RpcException(new Grpc.Core.Status(status, "no")));

        await VerifyAsync(server, "123456");

        Assert.Single(server.Verifies);
    }

    [Fact]
    public async Task Two_runs_never_share_a_request_id()
    {
        await using var server = await StubServer.StartAsync();

        await VerifyAsync(server, "123456");
        await VerifyAsync(server, "123456");

        Assert.Equal(2, server.Verifies.Select(request => request.RequestId).Distinct(StringComparer.Ordinal).Count());
    }

    private static Task<Finished> VerifyAsync(StubServer server, string arguments, string input = "") =>
        MfaProgram.RunAsync(server, $"--account alice verify {arguments}", input, ["MFA_API_KEY=k"]);
}
