using System.Globalization;

namespace Mfa.Bench;

/// <summary>Do 200 people who log in at once slow the checks of authenticator codes? Slices with and without them in turn.</summary>
internal static class LoginsMode
{
    private const int Pairs = 5;
    private const int Crowd = 200;
    private const int InFlight = 8;
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(string serverDll, string folder, Peer server, string key, int count)
    {
        Console.Error.WriteLine("Adding people, enrolling accounts…");
        Logins.AddPeople(serverDll, folder);
        var accounts = await Accounts.EnrolAsync(server.Address, key, count, InFlight);
        await MeasureAsync(accounts, server, impatient: false);
        await MeasureAsync(accounts, server, impatient: true);
    }

    private static async Task MeasureAsync(Accounts accounts, Peer server, bool impatient)
    {
        Console.Error.WriteLine($"Measuring, impatient={impatient}…");
        await Load.RunAsync(server.Address, accounts, Workload.Right, InFlight, Slice);
        var pairs = new List<(LoadResult Alone, LoadResult Beside)>();
        var (passwords, turnedAway) = (0, 0);
        for (var pair = 0; pair < Pairs; pair++)
        {
            var alone = await Load.RunAsync(server.Address, accounts, Workload.Right, InFlight, Slice);
            await using var logins = await Logins.StartAsync(server.Address, Crowd, impatient);
            var (checkedBefore, turnedAwayBefore) = (logins.Checked, logins.TurnedAway);
            pairs.Add((alone, await Load.RunAsync(server.Address, accounts, Workload.Right, InFlight, Slice)));
            passwords += logins.Checked - checkedBefore;
            turnedAway += logins.TurnedAway - turnedAwayBefore;
        }

        var seconds = Pairs * Slice.TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"logins={Crowd} impatient={impatient} inflight={InFlight} " +
            $"rps_alone={Median(pairs, p => p.Alone.Rate):F0} rps_beside={Median(pairs, p => p.Beside.Rate):F0} " +
            $"slower={Median(pairs, p => p.Alone.Rate / p.Beside.Rate):F2} " +
            $"p50_slower={Median(pairs, p => p.Beside.Quantile(0.5) / p.Alone.Quantile(0.5)):F2} " +
            $"p99_ms_alone={Median(pairs, p => p.Alone.Quantile(0.99)):F1} " +
            $"p99_ms_beside={Median(pairs, p => p.Beside.Quantile(0.99)):F1} " +
            $"passwords_per_s={passwords / seconds:F1} turned_away_per_s={turnedAway / seconds:F0}"));
    }

    private static double Median(List<(LoadResult Alone, LoadResult Beside)> pairs, Func<(LoadResult Alone, LoadResult Beside), double> of)
    {
        var sorted = pairs.Select(of).Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
