using System.Globalization;

namespace Mfa.Bench;

/// <summary>
/// Verifications on PostgreSQL against what that database does for anybody: `pgbench` with one durable UPDATE of a row by its key, the
/// same number of clients, in turn; as pgbench is without options, where the database parses each, and with statements that it keeps prepared.
/// A verification that commits alone could not beat it; one that shares a commit can, the more of them there are at a time.
/// </summary>
internal static class PostgresMode
{
    private const int Count = 100_000;
    private const int Pairs = 7;

    /// <summary>No longer than there are codes for.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(3);

    /// <summary>In it pgbench opens its connections, too, which takes it a second or two with 512.</summary>
    private static readonly TimeSpan UpdateSlice = TimeSpan.FromSeconds(6);

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
        foreach (var clients in new[] { 64, 256, 512 })
        {
            Console.Error.WriteLine($"Measuring with {clients} clients…");
            await accounts.WaitForCodesAsync(Count);
            WireLoad.Run(server, accounts, clients, Slice);
            var turns = new List<Turn>();
            for (var turn = 1; turn <= Pairs; turn++)
            {
                double Updates(string protocol) => cluster.UpdatesPerSecond(clients, Count, UpdateSlice, protocol);
                var (simple, prepared) = (Updates("simple"), Updates("prepared"));
                await accounts.WaitForCodesAsync(Count);
                turns.Add(new Turn(simple, prepared, WireLoad.Run(server, accounts, clients, Slice)));
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"Turn {turn} of {Pairs}: {turns[^1].Real.Rate:F0} verifications, {simple:F0} updates a second, {prepared:F0} prepared"));
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"store=postgresql workload=right inflight={clients} accounts={Count} sync_ms={sync:F2} rps={Median(turns, t => t.Real.Rate):F0} " +
                $"p50_ms={Median(turns, t => t.Real.Quantile(0.5)):F2} p99_ms={Median(turns, t => t.Real.Quantile(0.99)):F2} " +
                $"cpu_us={Median(turns, t => t.Real.CpuMicroseconds):F1} rss_mb={server.PeakMemoryMiB()} " +
                $"{Compared("", turns, t => t.Simple)} {Compared("prepared_", turns, t => t.Prepared)}"));
        }
    }

    private static string Compared(string name, List<Turn> turns, Func<Turn, double> updates) => string.Create(CultureInfo.InvariantCulture,
        $"{name}updates_per_s={Median(turns, updates):F0} {name}ratio={Median(turns, t => t.Real.Rate / updates(t)):F2} " +
        $"{name}ratio_min={turns.Min(t => t.Real.Rate / updates(t)):F2} {name}ratio_max={turns.Max(t => t.Real.Rate / updates(t)):F2}");

    private static double Median(List<Turn> turns, Func<Turn, double> of) => Report.Median(turns.Select(of));

    private sealed record Turn(double Simple, double Prepared, Slice Real);
}
