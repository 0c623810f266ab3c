using Grpc.Core;
using Mfa.V1;

namespace Mfa.Server.Tests.Services;

public sealed class RecoveryCodeTests
{
    [Fact]
    public async Task Each_code_works_once_and_the_count_goes_down()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);

        for (var i = 0; i < 8; i++)
        {
            var answer = await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[i]);
            Assert.Equal((Verdict.Accepted, Factor.RecoveryCode, 7 - i), (answer.Verdict, answer.Factor, answer.RecoveryCodesRemaining));
        }

        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[3])).Verdict);
    }

    [Fact]
    public async Task Another_accounts_code_is_refused_and_stays_good_for_its_owner()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server, "alice");
        var bob = await EnrolledAccount.NewAsync(server, "bob", alice.Key);

        Assert.Equal(Verdict.Rejected, (await bob.VerifyAsync(alice.Enrollment.RecoveryCodes[0])).Verdict);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[0])).Verdict);
    }

    [Fact]
    public async Task A_new_set_needs_a_current_code_uses_it_up_and_voids_the_old_set()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var request = new RegenerateRecoveryCodesRequest { Account = alice.Name, Code = alice.Code(server.Step) };
        await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[0]);

        var fresh = await server.Client.RegenerateRecoveryCodesAsync(request, alice.Key);

        Assert.Equal(8, fresh.RecoveryCodes.Distinct().Count());
        Assert.Equal(8, (await alice.StatusAsync()).RecoveryCodesRemaining);
        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[1])).Verdict);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(fresh.RecoveryCodes[1])).Verdict);
        await Refused.AsAsync(StatusCode.PermissionDenied, "CODE_REFUSED",
            async () => await server.Client.RegenerateRecoveryCodesAsync(request, alice.Key));
    }

    [Fact]
    public async Task One_code_sent_to_several_rpcs_at_once_does_one_thing()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var code = alice.Code(server.Step);
        var regenerate = new RegenerateRecoveryCodesRequest { Account = alice.Name, Code = code };
        var enable = new EnableRequest { Account = alice.Name, Method = Method.Authenticator, Code = code };

        var done = await Task.WhenAll(Enumerable.Range(0, 24).Select(async i =>
        {
            try
            {
                switch (i % 3)
                {
                    case 0: return (await alice.VerifyAsync(code)).Verdict == Verdict.Accepted;
                    case 1: return (await server.Client.RegenerateRecoveryCodesAsync(regenerate, alice.Key)).RecoveryCodes.Count == 8;
                    default: return (await server.Client.EnableAsync(enable, alice.Key)).Secret.Length > 0;
                }
            }
            catch (RpcException refused) when (refused.StatusCode is StatusCode.PermissionDenied or StatusCode.ResourceExhausted)
            {
                return false;
            }
        }));

        Assert.Single(done, itself => itself);
    }

    [Fact]
    public async Task Wrong_codes_for_a_new_set_count_as_guesses_and_lock()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var request = new RegenerateRecoveryCodesRequest { Account = alice.Name, Code = alice.WrongCode() };
        Func<Task> regenerate = async () => await server.Client.RegenerateRecoveryCodesAsync(request, alice.Key);
        for (var i = 0; i < 5; i++) await Refused.AsAsync(StatusCode.PermissionDenied, "CODE_REFUSED", regenerate);

        var locked = await Refused.AsAsync(StatusCode.ResourceExhausted, "LOCKED", regenerate);

        Assert.Equal(TimeSpan.FromMinutes(1), locked.RetryDelay()!.ToTimeSpan());
        Assert.Equal(Verdict.Locked, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);
    }

    [Fact]
    public async Task Recovery_codes_are_checked_while_the_factor_is_locked_under_a_budget_of_their_own()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server, "alice");
        var strange = (await EnrolledAccount.NewAsync(server, "bob", alice.Key)).Enrollment.RecoveryCodes;
        await alice.FailAsync(times: 5);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[0])).Verdict);
        Assert.Equal(Verdict.Locked, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict); // its lock is not lifted

        for (var i = 0; i < 5; i++) Assert.Equal(4 - i, (await alice.VerifyAsync(strange[i])).AttemptsRemaining);
        var locked = await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[1]);
        Assert.Equal(Verdict.Locked, locked.Verdict);
        Assert.Equal(server.Clock.GetUtcNow().AddMinutes(1), locked.RetryTime.ToDateTimeOffset());

        server.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[1])).Verdict);
    }

    [Fact]
    public async Task Without_a_factor_there_is_no_set_to_replace()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();

        await Refused.AsAsync(StatusCode.FailedPrecondition, "NOT_ENABLED", async () => await server.Client.RegenerateRecoveryCodesAsync(
            new RegenerateRecoveryCodesRequest { Account = "nobody", Code = "123456" }, key));
    }
}
