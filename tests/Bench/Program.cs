using Mfa.Bench;

// `bench SERVER` measures; `bench SERVER logins` measures beside a crowd of passwords; `bench echo` is the bare server to compare
// with; `bench audit ROWS` asks a long audit trail.
if (args is ["echo"])
{
    await EchoServer.RunAsync();
    return 0;
}

if (args is ["audit", var rows])
{
    await AuditTrailBench.RunAsync(int.Parse(rows));
    return 0;
}

const int Pairs = 7;
const int InFlight = 64;
var slice = TimeSpan.FromSeconds(2);
if (args is not [var serverDll, ..]) throw new ArgumentException("Give the path of mfa-server.dll.");

using var folder = new BenchFolder();
using var echo = Peer.Start(Environment.ProcessPath!, "echo");
using var server = Peer.Start("dotnet", serverDll, "serve", "--dev", "--data", folder.Path,
    "--listen", "http://127.0.0.1:0", "--web", "http://127.0.0.1:0", "--set", "log:level=Error",
    // One key does all the work here, and half of its codes are wrong.
    "--set", "quota:callsPerSecond=0", "--set", "quota:guessesPerSecond=0", "--set", "spray:wrong=10000000", "--set", "spray:total=100000000");
var key = await File.ReadAllTextAsync(System.IO.Path.Combine(folder.Path, "dev.key"));

if (args is [_, "logins", .. var more])
{
    await LoginsMode.RunAsync(serverDll, folder.Path, server, key.Trim(), count: more is [var accountCount] ? int.Parse(accountCount, null) : 30_000);
    return 0;
}

Console.Error.WriteLine("Enrolling accounts…");
var accounts = await Accounts.EnrolAsync(server.Address, key.Trim(), count: 60_000, InFlight);

foreach (var workload in new[] { Workload.Right, Workload.Wrong })
{
    Console.Error.WriteLine($"Measuring {workload}…");
    await Load.RunAsync(echo.Address, accounts, Workload.Echo, InFlight, slice);
    await Load.RunAsync(server.Address, accounts, workload, InFlight, slice);
    var results = new List<(LoadResult Echo, LoadResult Server)>();
    for (var pair = 0; pair < Pairs; pair++)
    {
        var bare = await Load.RunAsync(echo.Address, accounts, Workload.Echo, InFlight, slice, echo);
        var real = await Load.RunAsync(server.Address, accounts, workload, InFlight, slice, server);
        results.Add((bare, real));
    }

    Report.Print(workload, InFlight, accounts.Count, results, server);
}

return 0;
