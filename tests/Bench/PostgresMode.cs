using System.Globalization;

namespace Mfa.Bench;

/// <summary>
/// Verifications on PostgreSQL against what that database does for anybody: `pgbench` with one durable UPDATE of a row by its key, the
/// same number of clients, in turn. A verification that commits alone could not beat it; one that shares a commit can.
/// </summary>
internal static class PostgresMode
{
    private const int Clients = 64;
    private const int Count = 80_000;
    private const int Pairs = 7;
    private const int Seconds = 3;

    public static async Task RunAsync(string program)
    {
        using var cluster = Cluster.Start();
        cluster.Sql($"CREATE TABLE one_row AS SELECT id, 0::bigint AS version FROM generate_series(1, {Count}) id; ALTER TABLE one_row ADD PRIMARY KEY (id)");
        using var folder = new BenchFolder();
        var sync = Disk.SyncMilliseconds(folder.Path);
        using var server = Peer.StartServer(program, folder.Path, "--store", cluster.Address);
        Console.Error.WriteLine($"Enrolling {Count} accounts…");
        var key = await File.ReadAllTextAsync(Path.Combine(folder.Path, "dev.key"));
        var accounts = await Accounts.EnrolAsync(server.Address, key.Trim(), Count);
        using var load = new Load(server, accounts, echo: false);
        Console.Error.WriteLine("Measuring…");
        await accounts.WaitForCodesAsync(Count);
        await load.RunAsync(Workload.Right, Clients, TimeSpan.FromSeconds(Seconds));
        var pairs = new List<(double Updates, Slice Real)>();
        for (var pair = 0; pair < Pairs; pair++)
        {
            await accounts.WaitForCodesAsync(Count);
            pairs.Add((cluster.UpdatesPerSecond(Clients, Count, Seconds), await load.RunAsync(Workload.Right, Clients, TimeSpan.FromSeconds(Seconds))));
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Pair {pair + 1} of {Pairs}: {pairs[^1].Real.Rate:F0} verifications, {pairs[^1].Updates:F0} updates a second"));
        }

        double Median(Func<(double Updates, Slice Real), double> of) => Report.Median(pairs.Select(of));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"store=postgresql workload=right inflight={Clients} accounts={Count} sync_ms={sync:F2} rps={Median(p => p.Real.Rate):F0} updates_per_s={Median(p => p.Updates):F0} " +
            $"ratio={Median(p => p.Real.Rate / p.Updates):F2} ratio_min={pairs.Min(p => p.Real.Rate / p.Updates):F2} ratio_max={pairs.Max(p => p.Real.Rate / p.Updates):F2} " +
            $"p50_ms={Median(p => p.Real.Quantile(0.5)):F2} p99_ms={Median(p => p.Real.Quantile(0.99)):F2} cpu_us={Median(p => p.Real.CpuMicroseconds):F1} rss_mb={server.PeakMemoryMiB()}"));
    }
}
