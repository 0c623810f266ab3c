using System.Reflection;
using Mfa.Torture.Faults;

namespace Mfa.Torture.Tests;

/// <summary>A short torture with every fault; `make torture` is the long one.</summary>
public sealed class TortureTests
{
    [Fact]
    public async Task Half_a_minute_of_all_faults_breaks_no_rule() // ST1, ST3, ST6, ST16, TD16
    {
        var folder = Directory.CreateTempSubdirectory("mfa-torture-");
        var seed = Environment.ProcessId;
        var torment = new Torment(ServerProgram, folder.FullName, seed);

        await torment.RunAsync(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10), IFault.All, _ => { });

        Assert.True(torment.Figures.Violations.Count == 0, $"seed {seed}, {folder}: {string.Join('\n', torment.Figures.Violations.Take(5))}");
        Assert.All(IFault.All, fault => Assert.True(torment.Figures.Faults.ContainsKey(fault.Name), $"{fault.Name} did not happen."));
        Assert.True(torment.Figures.Verdicts > 0, "Nothing was verified.");
        TestContext.Current.TestOutputHelper?.WriteLine(torment.Figures.ToString());
        folder.Delete(recursive: true); // kept when a rule was broken: it holds the history
    }

    internal static string ServerProgram { get; } = Path.ChangeExtension(
        typeof(TortureTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "ServerProgram").Value!, null);
}
