using System.Net;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Microsoft.Data.Sqlite;

namespace Mfa.EndToEnd.Watch;

/// <summary>Alive, ready and started are three things.</summary>
public sealed class HealthTests
{
    private static readonly byte[] NotServing = [0x08, 0x02];

    [Fact]
    public async Task While_the_store_is_gone_it_is_alive_and_not_ready_and_becomes_ready_by_itself()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var other = new SqliteConnection($"Data Source={server.Database};Pooling=False");
        other.Open();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "/readyz"));

        Execute(other, "BEGIN IMMEDIATE"); // readers go on, and no code could be accepted
        await Eventually.IsAsync("it is not ready", async () => await StatusAsync(server, "/readyz") == HttpStatusCode.ServiceUnavailable);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "/livez"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "/startupz"));
        Assert.Equal(NotServing, await server.Dev.SendAsync("grpc.health.v1.Health", "Check", []));

        Execute(other, "ROLLBACK");
        await Eventually.IsAsync("it is ready again", async () => await StatusAsync(server, "/readyz") == HttpStatusCode.OK);
        await Owner.AssertServedAsync(server.Dev);
    }

    private static async Task<HttpStatusCode> StatusAsync(ServerProcess server, string path) => (await RawHttp.GetAsync(server.Web, path)).Status;

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // statements of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
