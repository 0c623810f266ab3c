using System.Diagnostics;
using Grpc.Net.Client;
using Mfa.V1;

namespace Mfa.Bench;

internal enum Workload
{
    Echo,
    Right,
    Wrong,
}

/// <param name="Rate">Calls a second.</param>
/// <param name="Latencies">Sorted, in milliseconds.</param>
/// <param name="CpuMicroseconds">Processor time of the server a call.</param>
internal sealed record LoadResult(double Rate, double[] Latencies, double CpuMicroseconds)
{
    public double Quantile(double q) => Latencies[(int)(q * (Latencies.Length - 1))];
}

/// <summary>A closed loop: so many callers on two connections, each sending its next call when the last one is answered.</summary>
internal static class Load
{
    public static async Task<LoadResult> RunAsync(string address, Accounts accounts, Workload workload, int inFlight, TimeSpan time, Peer? peer = null)
    {
        using var first = GrpcChannel.ForAddress(address);
        using var second = GrpcChannel.ForAddress(address);
        var clients = new[] { new MfaService.MfaServiceClient(first), new MfaService.MfaServiceClient(second) };
        var cpu = peer?.Cpu() ?? TimeSpan.Zero;
        var clock = Stopwatch.StartNew();
        var all = await Task.WhenAll(Enumerable.Range(0, inFlight).Select(i => Task.Run(() => CallAsync(clients[i % 2], accounts, workload, clock, time))));
        var seconds = clock.Elapsed.TotalSeconds;
        var latencies = all.SelectMany(l => l).Order().ToArray();
        var used = (peer?.Cpu() ?? TimeSpan.Zero) - cpu;
        return new LoadResult(latencies.Length / seconds, latencies, used.TotalMicroseconds / latencies.Length);
    }

    private static async Task<List<double>> CallAsync(
        MfaService.MfaServiceClient client, Accounts accounts, Workload workload, Stopwatch clock, TimeSpan time)
    {
        var latencies = new List<double>();
        while (clock.Elapsed < time)
        {
            var request = workload == Workload.Right
                ? accounts.NextRight() ?? throw new InvalidOperationException("All codes are used up: more accounts are needed.")
                : accounts.NextWrong();
            var start = Stopwatch.GetTimestamp();
            var answer = await client.VerifyAsync(request, accounts.Key);
            latencies.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            var expected = workload == Workload.Wrong ? answer.Verdict is Verdict.Rejected : answer.Verdict == Verdict.Accepted;
            if (!expected) throw new InvalidOperationException($"{workload} got {answer.Verdict}: nothing is reported.");
        }

        return latencies;
    }
}
