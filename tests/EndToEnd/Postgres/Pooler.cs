using System.Diagnostics;
using Mfa.EndToEnd.Processes;
using Npgsql;

namespace Mfa.EndToEnd.Postgres;

/// <summary>A pooler that gives a connection to whoever has a transaction to run (Debian package pgbouncer).</summary>
internal sealed class Pooler : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly string _folder = Directory.CreateTempSubdirectory("mfa-pool-").FullName;
    private Process? _process;

    public int Port { get; } = FreePort.Next();

    public static async Task<Pooler> StartAsync(PostgresCluster cluster)
    {
        var pooler = new Pooler();
        await File.WriteAllTextAsync(Path.Combine(pooler._folder, "users"), $"\"mfa\" \"{cluster.Password}\"\n");
        var settings = Path.Combine(pooler._folder, "pgbouncer.ini");
        await File.WriteAllTextAsync(settings, $"""
            [databases]
            * = host=127.0.0.1 port={cluster.Port}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {pooler.Port}
            unix_socket_dir =
            auth_type = scram-sha-256
            auth_file = {pooler._folder}/users
            pool_mode = transaction
            default_pool_size = 8
            max_client_conn = 500
            """);
        await PostgresCluster.GiveAsync(pooler._folder);
        var start = PostgresCluster.Command("/usr/sbin/pgbouncer", "--quiet", settings);
        start.RedirectStandardError = true;
        pooler._process = Process.Start(start)!;
        _ = pooler._process.StandardError.ReadToEndAsync(CancellationToken.None);
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection($"{cluster.AddressOf("postgres", pooler.Port)};Pooling=false");
                await connection.OpenAsync(TestContext.Current.CancellationToken);
                return pooler;
            }
            catch (NpgsqlException) when (Stopwatch.GetElapsedTime(begun) < Patience && !pooler._process.HasExited)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
