using System.Globalization;

namespace Mfa.Bench;

/// <summary>One line a workload. Ratios are taken pair by pair, because such machines drift by a factor of two; their median is told.</summary>
internal static class Report
{
    public static void Print(Workload workload, int inFlight, int accounts, List<(Slice Echo, Slice Real)> pairs, Peer server, double syncMs)
    {
        var ratios = pairs.ConvertAll(p => p.Real.Rate / p.Echo.Rate);
        float[] all = [.. pairs.SelectMany(p => p.Real.Latencies)];
        Array.Sort(all);
        var real = new Slice(Median(pairs.Select(p => p.Real.Rate)), all, Median(pairs.Select(p => p.Real.CpuMicroseconds)));
        var echoP50 = Median(pairs.Select(p => p.Echo.Quantile(0.5)));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"workload={workload.ToString().ToLowerInvariant()} inflight={inFlight} accounts={accounts} rps={real.Rate:F0} " +
            $"p50_ms={real.Quantile(0.5):F3} p99_ms={real.Quantile(0.99):F2} p999_ms={real.Quantile(0.999):F2} " +
            $"ratio={Median(ratios):F2} ratio_min={ratios.Min():F2} ratio_max={ratios.Max():F2} " +
            $"p99_ratio={Median(pairs.Select(p => p.Real.Quantile(0.99) / p.Echo.Quantile(0.99))):F1} " +
            $"cpu_us={real.CpuMicroseconds:F1} echo_cpu_us={Median(pairs.Select(p => p.Echo.CpuMicroseconds)):F1} rss_mb={server.PeakMemoryMiB()} " +
            $"echo_rps={Median(pairs.Select(p => p.Echo.Rate)):F0} p50_over_echo_and_sync={real.Quantile(0.5) / (echoP50 + syncMs):F2}"));
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
