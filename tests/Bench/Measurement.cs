using System.Diagnostics;
using System.Globalization;

namespace Mfa.Bench;

/// <summary>One server on so many accounts, and the workloads that are measured on it, in turn with the echo.</summary>
internal sealed class Measurement : IDisposable
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(2.5);

    private readonly BenchFolder _folder = new();
    private readonly Peer _echo;
    private readonly string _program;
    private Peer _server;
    private Accounts _accounts = null!;

    private Measurement(string program)
    {
        _program = program;
        Disk.RequireDurable(_folder.Path);
        _echo = Peer.Start(Environment.ProcessPath!, "echo");
        _server = StartServer();
    }

    public static async Task<Measurement> StartAsync(string program, int accounts)
    {
        var run = new Measurement(program);
        var key = await File.ReadAllTextAsync(Path.Combine(run._folder.Path, "dev.key"));
        Console.Error.WriteLine($"Enrolling {accounts} accounts…");
        run._accounts = await Accounts.EnrolAsync(run._server.Address, key.Trim(), accounts);
        return run;
    }

    public async Task RunAsync(Workload workload, int inFlight, int pairs)
    {
        Console.Error.WriteLine($"Measuring {workload} with {inFlight} in flight…");
        using var real = new Load(_server, _accounts, echo: false);
        using var bare = new Load(_echo, _accounts.Copy(), echo: true);
        if (workload is Workload.Replay) await UseCodesAsync(real, inFlight);
        await bare.RunAsync(workload, inFlight, Length);
        var last = await real.RunAsync(workload, inFlight, Length);
        var slices = new List<(Slice, Slice)>();
        for (var pair = 0; pair < pairs; pair++)
        {
            if (workload is Workload.Right or Workload.Mixed) await _accounts.WaitForCodesAsync(2 * last.Latencies.Length);
            if (workload is Workload.Replay) await UseCodesAsync(real, inFlight);
            var echo = await bare.RunAsync(workload, inFlight, Length);
            last = await real.RunAsync(workload, inFlight, Length);
            slices.Add((echo, last));
        }

        Report.Print(workload, inFlight, _accounts.Count, slices, _server, Disk.SyncMilliseconds(_folder.Path));
    }

    /// <summary>What is to be sent again must have been accepted just now: after a minute it is out of the window, and merely wrong.</summary>
    private async Task UseCodesAsync(Load load, int inFlight)
    {
        await _accounts.WaitForCodesAsync(_accounts.Count / 4);
        await load.RunAsync(Workload.Right, inFlight, Length);
    }

    /// <summary>How long it takes from the start of the process to its first answer, after a clean stop and after a kill.</summary>
    public async Task RunStartsAsync()
    {
        foreach (var killed in new[] { false, true })
        {
            if (killed) _server.Kill();
            else _server.Stop();
            _server.Dispose();
            var clock = Stopwatch.StartNew();
            _server = StartServer();
            using var load = new Load(_server, _accounts, echo: false);
            await load.RunAsync(Workload.Wrong, inFlight: 1, TimeSpan.FromTicks(1));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"workload=start after={(killed ? "kill" : "stop")} accounts={_accounts.Count} first_answer_ms={clock.Elapsed.TotalMilliseconds:F0} rss_mb={_server.PeakMemoryMiB()}"));
        }

        _server.Stop();
        _server.Dispose();
        var bytes = new FileInfo(Path.Combine(_folder.Path, "mfa.db")).Length;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"workload=size accounts={_accounts.Count} bytes_per_account={bytes / (double)_accounts.Count:F0}"));
        _server = StartServer();
    }

    public void Dispose()
    {
        _server.Dispose();
        _echo.Dispose();
        _folder.Dispose();
    }

    private Peer StartServer() => Peer.StartServer(_program, _folder.Path);
}
