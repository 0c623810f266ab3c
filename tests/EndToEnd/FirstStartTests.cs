using System.Diagnostics;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd;

/// <summary>
/// A first start that is killed is gone on with by the next: the folder is not taken for one that has lost its database, nor is
/// a key left in it that nothing needs.
/// </summary>
public sealed class FirstStartTests
{
    /// <summary>The calls that a file or a commit appears by: between any two of them lies another state on the disk.</summary>
    [Theory]
    [InlineData("rename")]
    [InlineData("fsync")]
    [InlineData("fdatasync")]
    public async Task Killed_at_any_of_its_steps(string call)
    {
        for (var (count, killed) = (1, true); killed; count++)
        {
            using var folder = new TempFolder();

            killed = await Strace.KillAtAsync(call, count, ["keys", "list", "--data", folder["data"]]);

            await AssertGoesOnAsync(folder["data"]);
        }
    }

    [Fact]
    public async Task Killed_at_any_moment_again_and_again()
    {
        var kills = 0;
        for (var round = 0; round < 4; round++)
        {
            using var folder = new TempFolder();
            for (var start = 0; start < 3; start++) kills += await KillAsync(folder["data"], round, start);

            await AssertGoesOnAsync(folder["data"]);
        }

        Assert.True(kills > 0, "It always ended before it was killed: this proved nothing.");
    }

    /// <summary>As soon as the next of the files is there, and a little later each round.</summary>
    private static async Task<int> KillAsync(string data, int round, int start)
    {
        var file = Path.Combine(data, start switch { 0 => "keys.json.first", 1 => "mfa.db", _ => "mfa.db-wal" });
        var begin = ServerProgram.Command("keys", "list", "--data", data);
        begin.RedirectStandardOutput = begin.RedirectStandardError = true;
        using var process = Process.Start(begin)!;
        var told = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        SpinWait.SpinUntil(() => process.HasExited || File.Exists(file));
        process.WaitForExit(6 * round);
        var alive = !process.HasExited;
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await told;
        return alive ? 1 : 0;
    }

    private static async Task AssertGoesOnAsync(string data)
    {
        var created = await ServerProgram.RunAsync("keys", "create", "first", "--scopes", "verify", "--data", data);
        Assert.True(created.ExitCode == 0, created.Errors);
        Assert.True(File.Exists(Path.Combine(data, "keys.json")));
        Assert.False(File.Exists(Path.Combine(data, "keys.json.first")));
    }
}
