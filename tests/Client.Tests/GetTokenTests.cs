using Grpc.Core;
using Mfa.V1;
using Method = Mfa.V1.Method;

namespace Mfa.Client.Tests;

public sealed class GetTokenTests
{
    [Fact]
    public async Task It_tells_where_the_code_went_and_when_to_ask_again()
    {
        await using var server = await StubServer.StartAsync();

        var run = await RunAsync(server, "get-token");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(
            "Sent by EMAIL to j***@e***.org, good until 2026-05-01T12:00:00Z; "
            + "the next one can be requested at 2026-05-01T11:56:00Z\n", run.Output);
        var request = Assert.Single(server.GetTokens);
        Assert.Equal(("alice", ""), (request.Account, request.EnrollmentId));
        Assert.True(Guid.TryParse(request.RequestId, out _));
    }

    [Fact]
    public async Task Times_that_are_not_set_are_not_told()
    {
        await using var server = await StubServer.StartAsync();
        server.OnGetToken = _ => new() { Method = Method.Sms, Destination = "+1 *** *** **23" };

        Assert.Equal("Sent by SMS to +1 *** *** **23\n", (await RunAsync(server, "get-token")).Output);
    }

    [Fact]
    public async Task Json_has_the_fields_of_the_reply()
    {
        await using var server = await StubServer.StartAsync();

        var run = await RunAsync(server, "get-token --output json");

        Assert.Equal(
            """{"method":"METHOD_EMAIL","destination":"j***@e***.org","expire_time":"2026-05-01T12:00:00"""
            + """Z","resend_time":"2026-05-01T11:56:00Z"}""" + "\n", run.Output);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task Both_ids_are_handed_on()
    {
        await using var server = await StubServer.StartAsync();
        const string Id = "5c7c5e0e-0000-4000-8000-000000000001";

        await RunAsync(server, $"get-token --enrollment-id {StubServer.EnrollmentId} --request-id {Id}");

        var request = Assert.Single(server.GetTokens);
        Assert.Equal((StubServer.EnrollmentId, Id), (request.EnrollmentId, request.RequestId));
    }

    [Fact]
    public async Task Two_runs_never_share_a_request_id()
    {
        await using var server = await StubServer.StartAsync();

        await RunAsync(server, "get-token");
        await RunAsync(server, "get-token");

        Assert.Equal(2, server.GetTokens.Select(request => request.RequestId).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task A_reply_lost_on_its_way_sends_no_second_message()
    {
        await using var server = await StubServer.StartAsync();
        using var relay = new CuttingRelay(server.Endpoint);
        var sent = server.OnGetToken;
        server.OnGetToken = request =>
        {
            if (server.GetTokens.Count == 1) relay.Cut();
            return sent(request);
        };

        var run = await RunAsync(server, $"--endpoint {relay.Endpoint} get-token");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(2, server.GetTokens.Count);
        Assert.Equal(server.GetTokens[0], server.GetTokens[1]);
    }

    [Fact]
    public async Task After_three_failures_it_gives_up_and_names_the_request_id()
    {
        await using var server = await StubServer.StartAsync();
        server.FailEverythingWith(StubServer.Error(StatusCode.Unavailable, ErrorReason.StoreUnavailable));

        var run = await RunAsync(server, "get-token");

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Equal(3, server.GetTokens.Count);
        var id = Assert.Single(server.GetTokens.Select(request => request.RequestId).Distinct(StringComparer.Ordinal));
        Assert.Contains($"--request-id {id}", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("table")]
    [InlineData("json")]
    public async Task An_empty_reply_is_no_success(string output)
    {
        await using var server = await StubServer.StartAsync();
        server.OnGetToken = _ => new GetTokenResponse();

        Assert.Equal(1, (await RunAsync(server, $"--output {output} get-token")).ExitCode);
    }

    private static Task<Finished> RunAsync(StubServer server, string arguments) =>
        MfaProgram.RunAsync(server, $"--account alice {arguments}", environment: ["MFA_API_KEY=k"]);
}
