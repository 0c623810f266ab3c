using System.Diagnostics;

namespace Mfa.EndToEnd.Postgres;

/// <summary>A primary with a synchronous standby, as docs/scaling.md recommends: no commit is answered that is not on both.</summary>
internal sealed class StandbyPair : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private StandbyPair(PostgresCluster primary, PostgresCluster standby, string database) => (Primary, Standby, Database) = (primary, standby, database);

    public PostgresCluster Primary { get; }

    public PostgresCluster Standby { get; }

    public string Database { get; }

    /// <summary>A connection string that names both hosts.</summary>
    public string Address => Primary.AddressOf(Database).Replace($"Host=127.0.0.1;Port={Primary.Port}", $"Host=127.0.0.1:{Primary.Port},127.0.0.1:{Standby.Port}", StringComparison.Ordinal);

    public static async Task<StandbyPair> StartAsync()
    {
        var primary = new PostgresCluster();
        var database = new Npgsql.NpgsqlConnectionStringBuilder(await primary.NewDatabaseAsync()).Database!;
        var pair = new StandbyPair(primary, await primary.NewStandbyAsync(), database);
        await primary.RunAsync("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
        await primary.RunAsync("postgres", "SELECT pg_reload_conf()");
        var begun = Stopwatch.GetTimestamp();
        while (await primary.RunAsync("postgres", "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'") is null)
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Patience, "The standby does not follow.");
            await Task.Delay(50, TestContext.Current.CancellationToken); // nothing tells but asking again
        }

        return pair;
    }

    /// <summary>The standby takes the place of the primary.</summary>
    public async Task PromoteAsync() => Assert.Equal(true, await Standby.RunAsync("postgres", "SELECT pg_promote()"));

    public async ValueTask DisposeAsync()
    {
        await Standby.DisposeAsync();
        await Primary.DisposeAsync();
    }
}
