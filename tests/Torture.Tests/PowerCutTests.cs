using Mfa.Torture.Checking;
using Mfa.Torture.Faults;
using Mfa.Torture.History;
using Mfa.Torture.Load;

namespace Mfa.Torture.Tests;

/// <summary>
/// Power cuts (ST2). A server under load is traced; its disk is put together again as it was synced at some moment, with none or
/// some of what was not; a server that starts on that must know all that had been told by then.
/// </summary>
public sealed class PowerCutTests
{
    private const int Cuts = 6;

    [Fact]
    public async Task A_power_cut_takes_nothing_that_was_told()
    {
        var violations = await ViolationsAsync(TortureTests.ServerProgram, []);

        Assert.True(violations.Count == 0, string.Join('\n', violations.Take(5)));
    }

    /// <summary>What is missing after power cuts.</summary>
    internal static async Task<List<string>> ViolationsAsync(string program, Dictionary<string, string> environment)
    {
        var violations = new List<string>();
        var folder = Directory.CreateTempSubdirectory("mfa-power-");
        var chance = new Chance(Environment.ProcessId);
        var (lines, workers, trace) = await LiveAsync(program, environment, folder.CreateSubdirectory("live").FullName, chance);
        var calls = lines.Select(line => line.Call).OfType<Call>().ToArray();
        Assert.True(trace.Writes > 100, $"{trace.Writes} writes were seen: the trace is not whole.");

        for (var cut = 0; cut < Cuts; cut++)
        {
            // Right after an answer: what it told must be there. The very first one, too.
            var moment = cut == 0 ? calls.MinBy(call => call.End)!.End : calls[chance.Next(calls.Length)].End;
            var place = folder.CreateSubdirectory($"cut-{cut}").FullName;
            var some = cut % 2 == 1;
            if (!trace.Restore(moment, Path.Combine(place, "data"), () => some && chance.Next(2) == 0))
            {
                violations.Add($"cut {cut}: the data folder itself is lost");
                continue;
            }

            File.Delete(Path.Combine(place, "data", "dev.key")); // nothing is promised of it: a new one is made

            try
            {
                var report = await LookBackAsync(program, environment, place, calls, workers, moment);
                violations.AddRange(report.Violations.Select(violation => $"cut {cut} at {moment}: {violation}"));
            }
            catch (InvalidOperationException lost)
            {
                violations.Add($"cut {cut} at {moment}: {lost.Message}");
            }
        }

        folder.Delete(recursive: true);
        return violations;
    }

    private static async Task<(List<Line> Lines, Worker[] Workers, DiskTrace Trace)> LiveAsync(
        string program, Dictionary<string, string> environment, string folder, Chance chance)
    {
        var path = Path.Combine(folder, "history.jsonl");
        Worker[] workers;
        await using (var target = new Target(program, folder, Torment.Settings, environment, DiskTrace.Strace(folder)))
        {
            await target.StartAsync();
            using var history = new HistoryFile(path);
            var client = new Client(target, history);
            var mailbox = new Mailbox(Path.Combine(target.Data, "outbox"));
            workers = [.. Enumerable.Range(0, 6).Select(i => new Worker($"w{i}", client, mailbox, target, Torment.Rules, chance.Fork()))];
            using var end = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await Task.WhenAll(workers.Select(worker => Task.Run(() => worker.RunAsync(end.Token))));
            await target.EndAsync(9, history);
        }

        return (HistoryFile.Read(path), workers, DiskTrace.Read(folder, Path.Combine(folder, "data")));
    }

    /// <summary>The history as it would be told had the power been cut then, and what the next life of the server adds.</summary>
    private static async Task<Report> LookBackAsync(
        string program, Dictionary<string, string> environment, string place, Call[] calls, Worker[] workers, long moment)
    {
        var path = Path.Combine(place, "history.jsonl");
        using (var history = new HistoryFile(path))
        {
            foreach (var call in calls.Where(call => call.Start <= moment))
                history.Add(new Line(call.End <= moment ? call : call with { Answer = Answer.Unknown, Server = 0 }));
            history.Add(new Line(Death: new Death(0, moment)));
            await using var target = new Target(program, place, Torment.Settings, environment);
            await target.StartAsync();
            var client = new Client(target, history);
            await Task.WhenAll(workers.Select(worker => worker.LookBackAsync(client)));
        }

        return new Checker(Torment.Rules).Check(HistoryFile.Read(path));
    }
}
