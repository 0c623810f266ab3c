namespace Mfa.EndToEnd.Postgres;

/// <summary>Three servers on one PostgreSQL for all tests of a class.</summary>
public sealed class ThreeServers(PostgresCluster cluster) : IAsyncLifetime
{
    internal SharedServers Servers { get; private set; } = null!;

    internal string Address { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Address = await cluster.NewDatabaseAsync();
        // A hundred rounds of a race are more wrong codes than one service may bring.
        Servers = await SharedServers.StartAsync(Address, 3, "spray:wrong=10000000", "spray:total=100000000");
    }

    public ValueTask DisposeAsync() => Servers.DisposeAsync();
}
