using System.Diagnostics;
using Grpc.Net.Client;
using Mfa.V1;

namespace Mfa.Bench;

/// <summary>One slice of load.</summary>
/// <param name="Rate">Calls a second.</param>
/// <param name="Latencies">Sorted, in milliseconds.</param>
/// <param name="CpuMicroseconds">Processor time of the server a call, user and system.</param>
internal sealed record Slice(double Rate, float[] Latencies, double CpuMicroseconds)
{
    public static Slice Of(IEnumerable<List<float>> latencies, TimeSpan time, TimeSpan cpu)
    {
        float[] sorted = [.. latencies.SelectMany(mine => mine)];
        Array.Sort(sorted);
        return new Slice(sorted.Length / time.TotalSeconds, sorted, cpu.TotalMicroseconds / sorted.Length);
    }

    public double Quantile(double q) => Latencies[(int)(q * (Latencies.Length - 1))];
}

/// <summary>A closed loop: so many callers on two connections, each sending its next call when the last one is answered.</summary>
internal sealed class Load(Peer peer, Accounts accounts, bool echo) : IDisposable
{
    private readonly GrpcChannel[] _channels = [GrpcChannel.ForAddress(peer.Address), GrpcChannel.ForAddress(peer.Address)];

    public async Task<Slice> RunAsync(Workload workload, int inFlight, TimeSpan time)
    {
        var clients = _channels.Select(channel => new MfaService.MfaServiceClient(channel)).ToArray();
        var cpu = peer.Cpu();
        var clock = Stopwatch.StartNew();
        var number = -1;
        var latencies = await Task.WhenAll(Enumerable.Range(0, inFlight).Select(caller => Task.Run(async () =>
        {
            var mine = new List<float>(4096);
            while (clock.Elapsed < time)
            {
                var start = Stopwatch.GetTimestamp();
                await workload.CallAsync(clients[caller % clients.Length], accounts, Interlocked.Increment(ref number), echo);
                mine.Add((float)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            return mine;
        })));
        return Slice.Of(latencies, clock.Elapsed, peer.Cpu() - cpu);
    }

    public void Dispose()
    {
        foreach (var channel in _channels) channel.Dispose();
    }
}
