using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>What was told is true, however short the server's life was after telling it.</summary>
public sealed class CrashTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    private const int Rounds = 10;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(server.Process.Dev));

    [Fact]
    public async Task A_code_that_was_accepted_right_before_a_crash_stays_used() // RR5, RR7
    {
        for (var round = 0; round < Rounds; round++)
        {
            var owner = await Owner.EnrolAsync(server.Process.Dev);
            Assert.Equal(Verdict.Accepted, (await server.Process.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);

            await CrashAsync();

            Assert.Equal(Verdict.Rejected, (await server.Process.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
            Assert.Equal(Verdict.Rejected, (await server.Process.Dev.VerifyAsync(owner.Account, owner.UsedCode)).Verdict);
            Assert.True(Authenticator.Step <= owner.FirstStep + 2, "The code had expired by itself: the round proved nothing.");
        }
    }

    [Fact]
    public async Task The_code_that_finished_an_enrollment_right_before_a_crash_stays_used() // RR5
    {
        var owner = await Owner.EnrolAsync(server.Process.Dev);

        await CrashAsync();

        Assert.Equal(Verdict.Rejected, (await server.Process.Dev.VerifyAsync(owner.Account, owner.UsedCode)).Verdict);
        Assert.Equal(Verdict.Accepted, (await server.Process.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task A_recovery_code_that_was_accepted_right_before_a_crash_stays_used() // RC1, RC10
    {
        for (var round = 0; round < Rounds; round++)
        {
            var owner = await Owner.EnrolAsync(server.Process.Dev);
            Assert.Equal(Verdict.Accepted, (await server.Process.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[round % 8])).Verdict);

            await CrashAsync();

            var again = await server.Process.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[round % 8]);
            Assert.Equal(Verdict.Rejected, again.Verdict);
            Assert.Equal(7, again.RecoveryCodesRemaining);
        }
    }

    [Fact]
    public async Task Regenerated_recovery_codes_outlive_a_crash_and_the_old_ones_do_not()
    {
        var owner = await Owner.EnrolAsync(server.Process.Dev);
        var codes = await server.Process.Dev.RegenerateRecoveryCodesAsync(owner.Account, owner.NextCode);

        await CrashAsync();

        Assert.Equal(Verdict.Rejected, (await server.Process.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);
        Assert.Equal(Verdict.Accepted, (await server.Process.Dev.VerifyAsync(owner.Account, codes[0])).Verdict);
    }

    [Fact]
    public async Task Crashes_between_guesses_give_no_new_guesses() // TL4
    {
        var owner = await Owner.EnrolAsync(server.Process.Dev);
        var wrong = await owner.App.WrongCodesAsync(5);

        for (var i = 0; i < wrong.Length; i++)
        {
            var reply = await server.Process.Dev.VerifyAsync(owner.Account, wrong[i]);
            Assert.Equal((Verdict.Rejected, 4 - i), (reply.Verdict, reply.AttemptsRemaining));
            await CrashAsync();
        }

        Assert.Equal(Verdict.Locked, (await server.Process.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task A_server_that_is_asked_to_stop_ends_well_and_forgets_nothing()
    {
        var owner = await Owner.EnrolAsync(server.Process.Dev);

        Assert.Equal(0, await server.Process.StopAsync());
        await server.Process.StartAgainAsync();

        Assert.Equal(Verdict.Rejected, (await server.Process.Dev.VerifyAsync(owner.Account, owner.UsedCode)).Verdict);
        Assert.Equal(Verdict.Accepted, (await server.Process.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task A_server_that_is_asked_to_stop_as_soon_as_it_is_ready_ends_well()
    {
        await using var own = await ServerProcess.StartAsync(); // the others need one that runs, whatever comes of this
        for (var round = 0; round < 20; round++)
        {
            Assert.Equal(0, await own.StopAsync());
            await own.StartAgainAsync();
        }
    }

    private async Task CrashAsync()
    {
        await server.Process.KillAsync();
        await server.Process.StartAgainAsync();
    }
}
