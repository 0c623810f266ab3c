using System.Globalization;

namespace Mfa.Bench;

/// <summary>One line a workload. Ratios are taken pair by pair, because such machines drift; their median is told.</summary>
internal static class Report
{
    public static void Print(Workload workload, int inFlight, int accounts, List<(LoadResult Echo, LoadResult Server)> pairs, Peer server)
    {
        var ratios = pairs.ConvertAll(p => p.Server.Rate / p.Echo.Rate);
        var all = pairs.SelectMany(p => p.Server.Latencies).Order().ToArray();
        var real = new LoadResult(Median(pairs.Select(p => p.Server.Rate)), all, Median(pairs.Select(p => p.Server.CpuMicroseconds)));
        var line = string.Create(CultureInfo.InvariantCulture,
            $"workload={workload.ToString().ToLowerInvariant()} inflight={inFlight} accounts={accounts} rps={real.Rate:F0} " +
            $"p50_ms={real.Quantile(0.5):F2} p99_ms={real.Quantile(0.99):F2} p999_ms={real.Quantile(0.999):F2} " +
            $"ratio={Median(ratios):F2} ratio_min={ratios.Min():F2} ratio_max={ratios.Max():F2} " +
            $"p99_ratio={Median(pairs.Select(p => p.Server.Quantile(0.99) / p.Echo.Quantile(0.99))):F1} " +
            $"cpu_us={real.CpuMicroseconds:F0} echo_cpu_us={Median(pairs.Select(p => p.Echo.CpuMicroseconds)):F0} rss_mb={server.PeakMemoryMiB()}");
        Console.WriteLine(line);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
