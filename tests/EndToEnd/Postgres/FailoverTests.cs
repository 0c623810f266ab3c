using System.Diagnostics;
using Google.Rpc;
using Grpc.Core;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Postgres;

/// <summary>The machine with the primary is lost under load (ST11).</summary>
public sealed class FailoverTests
{
    private const int Answers = 400;

    [Fact]
    public async Task A_synchronous_standby_takes_over_under_load_and_nothing_that_was_answered_is_lost()
    {
        await using var pair = await StandbyPair.StartAsync();
        await using var servers = await SharedServers.StartAsync(pair.Address, 2, CheckedLoad.Settings);
        using var load = new CheckedLoad(servers);
        var without = TimeSpan.Zero;

        var report = await load.RunAsync(async () =>
        {
            await load.AnsweredAsync(Answers);
            var lost = Stopwatch.GetTimestamp();
            await pair.Primary.KillAsync();
            var refused = await Assert.ThrowsAsync<RpcException>(() => servers.Caller.EnableAsync($"meanwhile-{Guid.NewGuid():N}"));
            Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
            Assert.NotNull(refused.GetRpcStatus()?.GetDetail<RetryInfo>());
            await pair.PromoteAsync();
            load.SomethingWasLost();
            await load.AnsweredAsync(1);
            without = Stopwatch.GetElapsedTime(lost);
            await load.AnsweredAsync(Answers);
        });

        TestContext.Current.TestOutputHelper?.WriteLine($"{without.TotalSeconds:F1} s without service; {report.Events} calls, {report.Unknown} of them not answered");
        Assert.Empty(report.Violations);
        Assert.True(report.Verdicts > Answers / 2, $"{report.Verdicts} verdicts");
        var whole = await ServerProgram.RunAsync("audit", "verify", "--data", servers.All[0].Data, "--store", pair.Address);
        Assert.True(whole.ExitCode == 0, whole.Output + whole.Errors);
    }
}
