using Mfa.Server.Callers;
using Mfa.V1;

namespace Mfa.Server.Tests.Services;

/// <summary>A clock that is set back, as callers see it (ST16, TL15).</summary>
public sealed class ClockTests
{
    [Fact]
    public async Task What_has_expired_stays_expired_and_a_lock_ends_when_it_was_to_end()
    {
        await using var server = await TestServer.StartAsync("sends:gapSeconds=0");
        var key = await server.KeyAsync(Scopes.Verify | Scopes.Enroll | Scopes.Disable);
        var alice = await EnrolledAccount.NewAsync(server, key: key);
        var eve = await server.Client.EnableAsync(new EnableRequest { Account = "eve", Method = Method.Email, Email = "eve@example.org" }, key);
        var code = (await server.Mailbox.NextAsync()).Code;
        await alice.FailAsync(times: 5);
        var until = (await alice.StatusAsync()).LockedUntil;

        server.Clock.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(State.Disabled, (await StatusAsync("eve")).State);
        server.Clock.AdjustTime(server.Clock.GetUtcNow().AddMinutes(-60.5)); // back into the lock and the lives of code and enrollment

        Assert.Equal(State.Disabled, (await StatusAsync("eve")).State);
        await Refused.AsAsync(Grpc.Core.StatusCode.FailedPrecondition, "ENROLLMENT_NOT_FOUND", async () => await server.Client.VerifyAsync(
            new VerifyRequest { Account = "eve", Code = code, EnrollmentId = eve.EnrollmentId }, key));
        Assert.True(server.Clock.GetUtcNow() < until.ToDateTimeOffset());
        Assert.Null((await alice.StatusAsync()).LockedUntil);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict); // as the app's clock has it

        async Task<GetStatusResponse> StatusAsync(string account) =>
            await server.Client.GetStatusAsync(new GetStatusRequest { Account = account }, key);
    }

    [Fact]
    public async Task Readiness_says_that_the_clock_is_behind_and_serves_on()
    {
        await using var server = await TestServer.StartAsync();
        using var http = new HttpClient();
        Assert.Equal("ready\n", await ReadyAsync());

        server.Clock.AdjustTime(server.Clock.GetUtcNow().AddHours(-1));
        await EnrolledAccount.NewAsync(server);

        Assert.Contains("The system clock is 3600 s behind.", await ReadyAsync());

        Task<string> ReadyAsync() => http.GetStringAsync(new Uri(server.Web, "/health/ready"), TestContext.Current.CancellationToken);
    }
}
