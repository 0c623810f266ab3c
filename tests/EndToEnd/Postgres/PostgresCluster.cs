using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Npgsql;

namespace Mfa.EndToEnd.Postgres;

/// <summary>
/// A PostgreSQL of this test run's own (Debian package postgresql), on loopback, with every commit synced. The first test that asks
/// for a database starts it.
/// </summary>
public sealed partial class PostgresCluster : IAsyncDisposable
{
    private const string User = "mfa";

    /// <summary>As fast as a machine with many tests at once makes it; only a hang gets here.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static PostgresCluster? _first;

    private readonly string _folder = Directory.CreateTempSubdirectory("mfa-pg-").FullName;
    private readonly SemaphoreSlim _one = new(1, 1);
    private Process? _server;

    public PostgresCluster() => Interlocked.CompareExchange(ref _first, this, null);

    /// <summary>The one that all tests of a run share.</summary>
    public static PostgresCluster Running => _first ?? throw new InvalidOperationException("The test run has not begun.");

    /// <summary>A password that no message may show.</summary>
    public string Password { get; private init; } = Convert.ToHexString(RandomNumberGenerator.GetBytes(12));

    public int Port { get; } = Processes.FreePort.Next();

    /// <summary>Debian puts each version in a folder of its own.</summary>
    public static string Programs { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Select(folder => Path.Combine(folder, "bin"))
            .Where(bin => File.Exists(Path.Combine(bin, "postgres"))).OrderByDescending(bin => bin, StringComparer.Ordinal).FirstOrDefault("")
        : "";

    /// <summary>A new database, and how to reach it.</summary>
    /// <param name="more">SQL that is run in it first.</param>
    public async Task<string> NewDatabaseAsync(string more = "")
    {
        await StartAsync();
        var name = $"mfa_{Guid.NewGuid():N}";
        await RunAsync("postgres", $"CREATE DATABASE {name}");
        if (more.Length > 0) await RunAsync(name, more.Replace("{database}", name, StringComparison.Ordinal));
        return AddressOf(name);
    }

    public string AddressOf(string database, int? port = null) =>
        $"Host=127.0.0.1;Port={port ?? Port};Database={database};Username={User};Password={Password}";

    /// <summary>Runs SQL as an administrator, on a connection that nobody else gets.</summary>
    public async Task<object?> RunAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection($"{AddressOf(database)};Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }

    public async Task StartAsync()
    {
        await _one.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_server is null) await CreateAsync();
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Ends it as an administrator does who wants it down now: connections are cut.</summary>
    public async Task StopAsync()
    {
        var server = _server!;
        _server = null;
        Assert.Equal(0, Kill(server.Id, 2)); // SIGINT: its fast shutdown
        await server.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience);
        server.Dispose();
    }

    /// <summary>Cuts all its processes short at once, as the loss of the machine does.</summary>
    public async Task KillAsync()
    {
        var server = _server!;
        _server = null;
        server.Kill(entireProcessTree: true);
        await server.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience);
        server.Dispose();
    }

    /// <summary>A standby of this one, which streams all that is written here. It serves reads when this returns.</summary>
    public async Task<PostgresCluster> NewStandbyAsync()
    {
        var standby = new PostgresCluster { Password = Password };
        var copied = await Processes.OutsideProgram.RunAsync(Command(Path.Combine(Programs, "pg_basebackup"), "--pgdata", Path.Combine(await GiveAsync(standby._folder), "data"),
            "--write-recovery-conf", "--checkpoint=fast", "--dbname", $"host=127.0.0.1 port={Port} user={User} password={Password}"), []);
        Assert.True(copied.ExitCode == 0, copied.Errors);
        await standby.StartAsync();
        return standby;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await StopAsync();
        Directory.Delete(_folder, recursive: true);
        _one.Dispose();
    }

    /// <summary>A program as the unprivileged user that PostgreSQL insists on.</summary>
    public static ProcessStartInfo Command(string program, params string[] arguments)
    {
        var start = Environment.IsPrivilegedProcess
            ? new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", program, .. arguments])
            : new ProcessStartInfo(program, arguments);
        start.WorkingDirectory = "/";
        return start;
    }

    /// <summary>A folder that this user may work in.</summary>
    public static async Task<string> GiveAsync(string folder)
    {
        if (Environment.IsPrivilegedProcess)
        {
            var chown = await Processes.OutsideProgram.RunAsync(new ProcessStartInfo("chown", ["-R", "postgres", folder]), []);
            Assert.True(chown.ExitCode == 0, chown.Errors);
        }

        return folder;
    }

    private async Task CreateAsync()
    {
        Assert.True(Programs.Length > 0, "These tests need PostgreSQL. On Debian: apt-get install postgresql");
        var (data, password) = (Path.Combine(_folder, "data"), Path.Combine(_folder, "password"));
        if (!Directory.Exists(data))
        {
            await File.WriteAllTextAsync(password, Password);
            await GiveAsync(_folder);
            var made = await Processes.OutsideProgram.RunAsync(Command(Path.Combine(Programs, "initdb"), "--pgdata", data, "--username", User, "--pwfile", password,
                "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"), []);
            Assert.True(made.ExitCode == 0, made.Errors);
        }

        var start = Command(Path.Combine(Programs, "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", $"port={Port}",
            "-c", $"unix_socket_directories={_folder}", "-c", "max_connections=300", "-c", "fsync=on", "-c", "synchronous_commit=on",
            "-c", "log_min_messages=fatal", "-c", "log_min_error_statement=panic");
        start.RedirectStandardError = true;
        _server = Process.Start(start)!;
        _ = _server.StandardError.ReadToEndAsync(CancellationToken.None);
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await RunAsync("postgres", "SELECT 1");
                return;
            }
            catch (NpgsqlException) when (Stopwatch.GetElapsedTime(begun) < Patience && !_server.HasExited)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken); // it says when it is ready in no other way than by answering
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
