using Mfa.EndToEnd.Doctor;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Postgres;

/// <summary>`mfa-server doctor` tells what a failover would lose, on a primary with a standby (docs/scaling.md).</summary>
public sealed class DurabilityCheckTests
{
    [Fact]
    public async Task It_tells_what_each_setting_loses_and_when_no_commit_can_end()
    {
        await using var pair = await StandbyPair.StartAsync();
        using var folder = new TempFolder();

        Assert.Equal("OK", (await LookAsync()).State);
        foreach (var (setting, told) in new[] { ("local", "no commit waits"), ("remote_write", "perhaps not on its disk"), ("off", "used codes good again") })
        {
            await pair.Primary.RunAsync("postgres", $"ALTER DATABASE {pair.Database} SET synchronous_commit = {setting}");
            var finding = await LookAsync();
            Assert.Contains(told, finding.Detail, StringComparison.Ordinal);
            Assert.Equal((setting == "off" ? "FAIL" : "WARN", "Set synchronous_commit = on."), (finding.State, finding.Remedy));
        }

        await pair.Primary.RunAsync("postgres", $"ALTER DATABASE {pair.Database} RESET synchronous_commit");
        await pair.Standby.StopAsync();
        var alone = await LookAsync();
        Assert.Equal("FAIL", alone.State);
        Assert.Contains("no standby is connected", alone.Detail, StringComparison.Ordinal);

        async Task<Finding> LookAsync() => (await Examination.OfAsync(folder["."], ["--data", folder["data"], "--store", pair.Address]))["durability"];
    }
}
