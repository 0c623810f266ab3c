using Grpc.Core;
using Mfa.V1;

namespace Mfa.Server.Tests.Services;

public sealed class VerifyTests
{
    [Fact]
    public async Task A_code_cannot_be_used_twice_nor_an_older_one_after_it()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);

        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Code(server.Step + 1))).Verdict);
        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(alice.Code(server.Step + 1))).Verdict);
        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);
    }

    [Fact]
    public async Task The_code_that_completed_the_enrollment_is_used_up()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);

        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(alice.Code(server.Step - 1))).Verdict);
    }

    [Fact]
    public async Task Wrong_used_and_replayed_codes_look_the_same()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server, "alice");
        var bob = await EnrolledAccount.NewAsync(server, "bob", alice.Key);

        var used = await alice.VerifyAsync(alice.Code(server.Step - 1));
        var wrong = await bob.VerifyAsync(bob.WrongCode());

        Assert.Equal(wrong, used);
    }

    [Fact]
    public async Task Five_wrong_codes_lock_for_a_minute_and_the_right_code_is_not_used_up_meanwhile()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        await alice.FailAsync(times: 5);
        var until = server.Clock.GetUtcNow().AddMinutes(1);

        var locked = await alice.VerifyAsync(alice.Code(server.Step + 1));

        Assert.Equal(Verdict.Locked, locked.Verdict);
        Assert.Equal(until, locked.RetryTime.ToDateTimeOffset());
        Assert.Equal(0, locked.AttemptsRemaining);
        Assert.Equal(until, (await alice.StatusAsync()).LockedUntil.ToDateTimeOffset());

        var next = alice.Code(server.Step + 2); // the code of the step that the clock will stand in
        server.Clock.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(Verdict.Locked, (await alice.VerifyAsync(next)).Verdict);
        server.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(next)).Verdict);
    }

    [Fact]
    public async Task The_lock_doubles_with_every_further_run_and_a_right_code_starts_over()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        foreach (var minutes in new[] { 1, 2, 4 })
        {
            await alice.FailAsync(times: 5);
            Assert.Equal(server.Clock.GetUtcNow().AddMinutes(minutes), (await alice.StatusAsync()).LockedUntil.ToDateTimeOffset());
            server.Clock.Advance(TimeSpan.FromMinutes(minutes));
        }

        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);
        await alice.FailAsync(times: 5);
        Assert.Equal(server.Clock.GetUtcNow().AddMinutes(1), (await alice.StatusAsync()).LockedUntil.ToDateTimeOffset());
    }

    [Fact]
    public async Task A_hundred_wrong_codes_block_until_a_recovery_code_enrols_again()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        for (var run = 0; run < 20; run++)
        {
            await alice.FailAsync(times: 5);
            server.Clock.Advance(TimeSpan.FromHours(1));
        }

        var blocked = await alice.VerifyAsync(alice.Code(server.Step));
        Assert.Equal(Verdict.Locked, blocked.Verdict);
        Assert.Null(blocked.RetryTime);
        Assert.Equal(State.Blocked, (await alice.StatusAsync()).State);
        var refusal = await Refused.AsAsync(StatusCode.ResourceExhausted, "LOCKED", async () => await server.Client.EnableAsync(
            new EnableRequest { Account = alice.Name, Method = Method.Authenticator, Code = alice.Code(server.Step) }, alice.Key));
        Assert.Null(refusal.RetryDelay());

        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[0])).Verdict);
        var again = await server.Client.EnableAsync(
            new EnableRequest { Account = alice.Name, Method = Method.Authenticator, Code = alice.Enrollment.RecoveryCodes[1] }, alice.Key);
        var first = Reference.Code(again.Secret, server.Step);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(first, again.EnrollmentId)).Verdict);
        Assert.Equal(State.Enabled, (await alice.StatusAsync()).State);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(Reference.Code(again.Secret, server.Step + 1))).Verdict);
    }

    [Fact]
    public async Task A_clock_that_goes_back_revives_no_code_and_ends_no_lock()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);
        var earlier = server.Clock.GetUtcNow().AddHours(-1);

        server.Clock.AdjustTime(earlier);
        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);

        await alice.FailAsync(times: 4);
        server.Clock.AdjustTime(earlier.AddHours(-1));
        Assert.Equal(Verdict.Locked, (await alice.VerifyAsync(alice.WrongCode())).Verdict);
    }

    [Fact]
    public async Task An_account_without_a_factor_is_told_so_also_while_an_enrollment_is_pending()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();
        Func<Task> verify = async () => await server.Client.VerifyAsync(new VerifyRequest { Account = "nobody", Code = "123456" }, key);
        await Refused.AsAsync(StatusCode.FailedPrecondition, "NOT_ENABLED", verify);

        var pending = await server.Client.EnableAsync(new EnableRequest { Account = "nobody", Method = Method.Authenticator }, key);
        await Refused.AsAsync(StatusCode.FailedPrecondition, "NOT_ENABLED", async () => await server.Client.VerifyAsync(
            new VerifyRequest { Account = "nobody", Code = Reference.Code(pending.Secret, server.Step) }, key));
        await Refused.AsAsync(StatusCode.FailedPrecondition, "NOT_ENABLED", async () => await server.Client.VerifyAsync(
            new VerifyRequest { Account = "nobody", Code = pending.RecoveryCodes[0] }, key));
        Assert.Equal(State.Pending, (await server.Client.GetStatusAsync(new GetStatusRequest { Account = "nobody" }, key)).State);
    }

    [Theory]
    [InlineData("enrollment:digits=8", 8, "1234567")]
    [InlineData("enrollment:digits=6", 6, "12345678")]
    public async Task Digits_of_another_length_than_enrolled_are_bad_input_and_no_guess(string setting, int digits, string code)
    {
        await using var server = await TestServer.StartAsync(setting);
        var key = await server.KeyAsync();
        var pending = await server.Client.EnableAsync(new EnableRequest { Account = "alice", Method = Method.Authenticator }, key);
        Assert.Contains($"digits={digits}", pending.OtpauthUri);
        var request = new VerifyRequest { Account = "alice", EnrollmentId = pending.EnrollmentId };

        request.Code = code;
        await Refused.FieldsAsync(["code"], async () => await server.Client.VerifyAsync(request, key));
        request.Code = new string('0', digits);
        Assert.Equal(4, (await server.Client.VerifyAsync(request, key)).AttemptsRemaining);
    }
}
