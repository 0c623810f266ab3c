using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>A system clock that is set wrong, under a server that runs (ST16, TL15).</summary>
public sealed class WrongClockTests : IDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly FakedTime _time = new();

    public void Dispose() => _time.Dispose();

    [Fact]
    public async Task An_hour_back_no_code_counts_again_no_lock_ends_and_nothing_lives_longer()
    {
        await using var server = await ServerProcess.StartUnderAsync(_time.Environment, "guesses:firstLockSeconds=3600");
        var (owner, locked) = (await Owner.EnrolAsync(server.Dev), await Owner.EnrolAsync(server.Dev));
        foreach (var code in await locked.App.WrongCodesAsync(5)) await server.Dev.VerifyAsync(locked.Account, code);
        var until = (await server.Dev.GetStatusAsync(locked.Account)).LockedUntil;
        var pending = await server.Dev.EnableAsync(Owner.NewAccount());
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);

        _time.Set(-Hour);
        foreach (var restarted in new[] { false, true })
        {
            if (restarted)
            {
                await server.KillAsync();
                await server.StartAgainAsync();
            }

            foreach (var code in new[] { restarted ? owner.UsedCode : owner.NextCode, await owner.App.CodeAsync(_time.Step) })
                Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, code)).Verdict);
            Assert.Equal(Verdict.Locked, (await server.Dev.VerifyAsync(locked.Account, await locked.App.CodeAsync(_time.Step))).Verdict);
            Assert.Equal(until, (await server.Dev.GetStatusAsync(locked.Account)).LockedUntil);
            var status = await server.Dev.GetStatusAsync(pending.Account);
            Assert.Equal(pending.ExpireTime, status.Pending.ExpireTime);
            var later = await server.Dev.EnableAsync(Owner.NewAccount());
            Assert.True(later.ExpireTime >= pending.ExpireTime, "Time went back.");
            await WaitForLineAsync(server, restarted ? 2 : 1, "behind the time it had already shown");
        }

        var (_, body) = await RawHttp.GetAsync(server.Web, "/health/ready");
        Assert.StartsWith("ready\nThe system clock is 3", body, StringComparison.Ordinal);
        var clock = await ServerProgram.RunAsync("clock", "status", "--data", server.Data); // with the right time
        Assert.True(clock.ExitCode == 0, clock.Errors);

        _time.Set(2 * Hour); // forward, a lock ends as its policy says
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(locked.Account, await locked.App.CodeAsync(_time.Step + 1))).Verdict);
    }

    [Fact]
    public async Task A_day_ahead_and_back_is_told_and_repaired_and_no_code_of_that_day_counts_twice()
    {
        await using var server = await ServerProcess.StartUnderAsync(_time.Environment);
        var (owner, other) = (await Owner.EnrolAsync(server.Dev), await Owner.EnrolAsync(server.Dev));

        _time.Set(Day);
        var step = _time.Step;
        var ahead = await owner.App.CodesAsync(step, 3);
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owner.Account, ahead[1])).Verdict);
        await WaitForLineAsync(server, 1, "jumped forward by 86");
        _time.Set(TimeSpan.Zero);
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(other.Account, await other.App.CodeAsync(_time.Step + 1))).Verdict);
        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, await owner.App.CodeAsync(_time.Step + 1))).Verdict);

        var status = await ServerProgram.RunAsync("clock", "status", "--data", server.Data);
        Assert.Equal(1, status.ExitCode);
        Assert.Contains("clock repair --yes", status.Errors, StringComparison.Ordinal);
        Start.RefusedWith(await ServerProgram.RunAsync("clock", "repair", "--yes", "--data", server.Data), ["serving"]);
        Assert.Equal(0, await server.StopAsync());
        Start.RefusedWith(await ServerProgram.RunAsync("clock", "repair", "--data", server.Data), ["If the clock of this machine is right", "--yes"]);
        var repaired = await ServerProgram.RunAsync("clock", "repair", "--yes", "--data", server.Data);
        Assert.True(repaired.ExitCode == 0, repaired.Errors);
        Assert.Contains("1 accounts have their app's codes back", repaired.Errors, StringComparison.Ordinal);

        _time.Set(TimeSpan.FromMinutes(4)); // rather than to wait: what was used by the repair is over then
        await server.StartAgainAsync();
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owner.Account, await owner.App.CodeAsync(_time.Step))).Verdict);
        await server.KillAsync();
        await server.StartAgainAsync();
        _time.SetTo(DateTimeOffset.FromUnixTimeSeconds(step * Authenticator.Period)); // the day that it had jumped to comes
        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, ahead[1])).Verdict);
        Assert.True(_time.Step <= step + 2, "The code had expired by itself: this proved nothing.");
    }

    /// <summary>The watch looks every second.</summary>
    private static async Task WaitForLineAsync(ServerProcess server, int times, string words)
    {
        while (server.Lines.Count(line => line.Contains(words, StringComparison.Ordinal)) < times)
            await Task.Delay(50, TestContext.Current.CancellationToken);
    }
}
