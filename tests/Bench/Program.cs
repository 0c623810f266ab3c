using Mfa.Bench;

// `Bench SERVER [quick|sizes]` measures SERVER: all of it, its core, or it with few and with many accounts. `Bench SERVER logins` measures it
// beside a crowd of passwords, `Bench SERVER postgres` on PostgreSQL; `Bench echo` is the bare server it compares with; `Bench simulate`
// prints the table of docs/scaling.md, `Bench plot FILE…` draws what runs printed, as SVG.
switch (args)
{
    case ["echo"]:
        await EchoServer.RunAsync();
        return 0;
    case ["plot", .. var files]:
        Console.Write(Plot.Svg(files.SelectMany(File.ReadLines)));
        return 0;
    case ["simulate"]:
        Simulation.Print();
        return 0;
    case [var server, "quick"]:
        return await ReportAsync(async () =>
        {
            using var run = await Measurement.StartAsync(server, accounts: 60_000);
            await run.RunAsync(Workload.Right, inFlight: 64, pairs: 5);
            await run.RunAsync(Workload.Wrong, inFlight: 64, pairs: 5);
        });
    case [var server, "sizes"]:
        return await ReportAsync(() => SizesAsync(server));
    case [var server, "logins"]:
        return await ReportAsync(() => LoginsMode.RunAsync(server));
    case [var server, "postgres"]:
        return await ReportAsync(() => PostgresMode.RunAsync(server));
    case [var server]:
        return await ReportAsync(async () =>
        {
            using (var run = await Measurement.StartAsync(server, accounts: 200_000))
            {
                foreach (var inFlight in new[] { 64, 1, 16, 256 }) await run.RunAsync(Workload.Right, inFlight, pairs: 15);
                foreach (var workload in new[] { Workload.Mixed, Workload.Replay, Workload.Wrong }) await run.RunAsync(workload, inFlight: 64, pairs: 15);
            }

            await SizesAsync(server);
        });
    default:
        Console.Error.WriteLine("Bench SERVER [quick|sizes|logins|postgres]: measures the mfa-server at that path against a bare echo, or pgbench.");
        return 2;
}

static async Task SizesAsync(string server)
{
    foreach (var accounts in new[] { 10_000, 1_000_000 })
    {
        using var run = await Measurement.StartAsync(server, accounts);
        await run.RunAsync(Workload.Wrong, inFlight: 64, pairs: 15);
        await run.RunStartsAsync();
    }
}

static async Task<int> ReportAsync(Func<Task> run)
{
    try
    {
        await run();
        return 0;
    }
    catch (Exception broken) when (broken is RefusedToReportException or Grpc.Core.RpcException)
    {
        Console.Error.WriteLine(broken.Message);
        return 1;
    }
}
