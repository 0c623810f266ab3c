using System.Globalization;

namespace Mfa.Bench;

/// <summary>Do 200 people who log in at once slow the checks of authenticator codes? Slices with and without them in turn.</summary>
internal static class LoginsMode
{
    private const int Pairs = 5;
    private const int Crowd = 200;
    private const int InFlight = 8;
    private const int Count = 100_000;
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(string program)
    {
        using var folder = new BenchFolder();
        Disk.RequireDurable(folder.Path);
        using var server = Peer.StartServer(program, folder.Path);
        Console.Error.WriteLine($"Adding people, enrolling {Count} accounts…");
        Logins.AddPeople(program, folder.Path);
        var key = await File.ReadAllTextAsync(Path.Combine(folder.Path, "dev.key"));
        var accounts = await Accounts.EnrolAsync(server.Address, key.Trim(), Count);
        using var load = new Load(server, accounts, echo: false);
        await MeasureAsync(load, server, impatient: false);
        await MeasureAsync(load, server, impatient: true);
    }

    private static async Task MeasureAsync(Load load, Peer server, bool impatient)
    {
        Console.Error.WriteLine($"Measuring, impatient={impatient}…");
        await load.RunAsync(Workload.Right, InFlight, Length);
        var pairs = new List<(Slice Alone, Slice Beside)>();
        var (passwords, turnedAway) = (0, 0);
        for (var pair = 0; pair < Pairs; pair++)
        {
            var alone = await load.RunAsync(Workload.Right, InFlight, Length);
            await using var logins = await Logins.StartAsync(server.Address, Crowd, impatient);
            var (checkedBefore, turnedAwayBefore) = (logins.Checked, logins.TurnedAway);
            pairs.Add((alone, await load.RunAsync(Workload.Right, InFlight, Length)));
            passwords += logins.Checked - checkedBefore;
            turnedAway += logins.TurnedAway - turnedAwayBefore;
        }

        var seconds = Pairs * Length.TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"logins={Crowd} impatient={impatient} inflight={InFlight} " +
            $"rps_alone={Median(pairs, p => p.Alone.Rate):F0} rps_beside={Median(pairs, p => p.Beside.Rate):F0} " +
            $"slower={Median(pairs, p => p.Alone.Rate / p.Beside.Rate):F2} " +
            $"p50_slower={Median(pairs, p => p.Beside.Quantile(0.5) / p.Alone.Quantile(0.5)):F2} " +
            $"p99_ms_alone={Median(pairs, p => p.Alone.Quantile(0.99)):F1} " +
            $"p99_ms_beside={Median(pairs, p => p.Beside.Quantile(0.99)):F1} " +
            $"passwords_per_s={passwords / seconds:F1} turned_away_per_s={turnedAway / seconds:F0}"));
    }

    private static double Median(List<(Slice Alone, Slice Beside)> pairs, Func<(Slice Alone, Slice Beside), double> of) => Report.Median(pairs.Select(of));
}
