using System.Diagnostics;
using System.Globalization;

namespace Mfa.Bench;

/// <summary>A PostgreSQL of the run's own (Debian package postgresql), on a Unix socket alone, with every commit synced.</summary>
internal sealed class Cluster : IDisposable
{
    private const int MostAsks = 1_000;

    private static readonly string Programs = Directory.GetDirectories("/usr/lib/postgresql").Select(folder => Path.Combine(folder, "bin"))
        .Where(bin => File.Exists(Path.Combine(bin, "postgres"))).Order(StringComparer.Ordinal).Last();

    private readonly BenchFolder _folder = new();
    private readonly Process _server;

    private Cluster(BenchFolder folder, Process server) => (_folder, _server) = (folder, server);

    public string Address => $"Host={_folder.Path};Database=postgres;Username=mfa";

    public static Cluster Start()
    {
        var folder = new BenchFolder();
        Disk.RequireDurable(folder.Path);
        if (Environment.IsPrivilegedProcess) Done(Process.Start("chown", ["postgres", folder.Path]));
        var data = Path.Combine(folder.Path, "data");
        Done(Process.Start(Quiet("initdb", "--pgdata", data, "--username", "mfa", "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"))!);
        var cluster = new Cluster(folder, Process.Start(Quiet("postgres", "-D", data, "-c", "listen_addresses=", "-c", $"unix_socket_directories={folder.Path}",
            "-c", "max_connections=600", "-c", "shared_buffers=512MB"))!);
        for (var asks = 0; Tell("psql", "--no-psqlrc", "--host", folder.Path, "--username", "mfa", "postgres", "--command", "SELECT 1").ExitCode != 0; asks++)
        {
            Expect.That(asks < MostAsks && !cluster._server.HasExited, "PostgreSQL does not start");
            Thread.Sleep(20); // it says in no other way that it is ready
        }

        foreach (var setting in new[] { "fsync", "synchronous_commit", "full_page_writes" })
            Expect.That(cluster.Sql($"SHOW {setting}") == "on", $"{setting} is not on");
        return cluster;
    }

    public string Sql(string text)
    {
        var told = Tell("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--host", _folder.Path, "--username", "mfa", "postgres", "--command", text);
        Expect.That(told.ExitCode == 0, text);
        return told.Output.Trim();
    }

    /// <summary>`pgbench` running one durable UPDATE of a row by its key, over and over.</summary>
    /// <param name="protocol">As pgbench names it; without it, it takes simple.</param>
    /// <returns>How many a second.</returns>
    public double UpdatesPerSecond(int clients, int rows, TimeSpan time, string protocol)
    {
        var script = Path.Combine(_folder.Path, "update.sql");
        File.WriteAllText(script, $"\\set id random(1, {rows})\nUPDATE one_row SET version = version + 1 WHERE id = :id;\n");
        var told = Tell("pgbench", "--no-vacuum", "--protocol", protocol, "--client", $"{clients}", "--jobs", "2", "--time", $"{time.TotalSeconds}",
            "--file", script, "--host", _folder.Path, "--username", "mfa", "postgres");
        Expect.That(told.ExitCode == 0 && told.Output.Contains("number of failed transactions: 0", StringComparison.Ordinal), "pgbench failed");
        var line = told.Output.Split('\n').Single(line => line.StartsWith("tps = ", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _server.Kill(entireProcessTree: true);
        _server.WaitForExit();
        _server.Dispose();
        _folder.Dispose();
    }

    private static (int ExitCode, string Output) Tell(string program, params string[] arguments)
    {
        using var process = Process.Start(Quiet(program, arguments))!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    private static void Done(Process process)
    {
        using var made = process;
        if (made.StartInfo.RedirectStandardOutput) made.StandardOutput.ReadToEnd();
        made.WaitForExit();
        Expect.That(made.ExitCode == 0, "no cluster could be made");
    }

    /// <summary>As the unprivileged user that PostgreSQL insists on.</summary>
    private static ProcessStartInfo Quiet(string program, params string[] arguments)
    {
        var path = Path.Combine(Programs, program);
        var start = Environment.IsPrivilegedProcess
            ? new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", "sh", "-c", "exec \"$@\" 2>/dev/null", "sh", path, .. arguments])
            : new ProcessStartInfo("sh", ["-c", "exec \"$@\" 2>/dev/null", "sh", path, .. arguments]);
        start.RedirectStandardOutput = true;
        start.UseShellExecute = false;
        start.WorkingDirectory = "/";
        return start;
    }
}
