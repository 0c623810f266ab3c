using Mfa.Torture.Faults;

namespace Mfa.Torture.Tests;

/// <summary>Servers that are wrong on purpose: a checker that lets one of them pass proves nothing about the right one.</summary>
public sealed class MutantTests(MutantBuild build) : IClassFixture<MutantBuild>
{
    /// <summary>Each is caught in the first rounds, which take seconds; only a mutant that survives gets here.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    [Fact]
    public Task The_conditional_write_removed_is_caught() => CaughtAsync("unconditional-write", new LockedDatabase());

    [Fact]
    public Task An_answer_before_the_commit_is_caught() => CaughtAsync("early-answer", new FullDisk());

    [Fact]
    public Task A_last_step_kept_in_memory_is_caught() => CaughtAsync("step-in-memory", new Kill());

    [Fact]
    public async Task A_commit_that_is_not_synced_is_caught_when_the_power_is_cut() =>
        Assert.NotEmpty(await PowerCutTests.ViolationsAsync(build.Server, new() { ["MUTANT"] = "unsynced" }));

    private async Task CaughtAsync(string mutant, params IFault[] faults)
    {
        var folder = Directory.CreateTempSubdirectory("mfa-mutant-");
        try
        {
            var torment = new Torment(build.Server, folder.FullName, seed: 1, new() { ["MUTANT"] = mutant });
            await torment.RunAsync(Patience, TimeSpan.FromSeconds(5), faults, _ => { });

            Assert.True(torment.Figures.Violations.Count > 0, $"{mutant} survived: {torment.Figures}");
            Assert.Contains(torment.Figures.Violations, text => text.Contains("rule", StringComparison.Ordinal));
            TestContext.Current.TestOutputHelper?.WriteLine($"{torment.Figures}\n{torment.Figures.Violations[0]}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
