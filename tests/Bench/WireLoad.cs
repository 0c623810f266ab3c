using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Mfa.Bench;

/// <summary>A closed loop of right codes as pgbench has it: a thread for each connection, with its share of the callers, who cost next to nothing.</summary>
internal static class WireLoad
{
    private const int Fewest = 2;
    private const int CallsPerConnection = 100; // limits:streams

    public static Slice Run(Peer peer, Accounts accounts, int inFlight, TimeSpan time)
    {
        var connections = Math.Max(Fewest, (inFlight + CallsPerConnection - 1) / CallsPerConnection);
        var latencies = Enumerable.Range(0, connections).Select(_ => new List<float>()).ToArray();
        Exception? failed = null;
        var cpu = peer.Cpu();
        var clock = Stopwatch.StartNew();
        var threads = latencies.Select((mine, i) => new Thread(() =>
        {
            try
            {
                using var wire = new VerifyWire(new Uri(peer.Address), accounts.Key.GetValue("authorization")!);
                Drive(wire, accounts, (inFlight + i) / connections, () => clock.Elapsed < time, mine);
            }
            catch (Exception why)
            {
                failed = why;
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        if (failed is not null) ExceptionDispatchInfo.Throw(failed);

        return Slice.Of(latencies, clock.Elapsed, peer.Cpu() - cpu);
    }

    private static void Drive(VerifyWire wire, Accounts accounts, int callers, Func<bool> goesOn, List<float> latencies)
    {
        for (var caller = 0; caller < callers; caller++) wire.Add(accounts.NextRight());
        while (wire.InFlight > 0)
        {
            wire.Send();
            wire.Receive(call =>
            {
                latencies.Add((float)Stopwatch.GetElapsedTime(call.Start).TotalMilliseconds);
                Workload.Right.Check(call.Request, call.Answer!, accounts);
                if (goesOn()) wire.Add(accounts.NextRight());
            });
        }
    }
}
