using System.Net;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd;

/// <summary>What is served without a credential: health, always; the list of services, in development alone.</summary>
public sealed class OpenDoorTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    private const string Health = "grpc.health.v1.Health";
    private static readonly byte[] Serving = [0x08, 0x01]; // status = SERVING

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(server.Process.Dev));

    [Fact]
    public async Task Health_is_open()
    {
        Assert.Equal(Serving, await server.Process.NewCallerWith().SendAsync(Health, "Check", []));

        Assert.Equal((HttpStatusCode.OK, "alive\n"), await RawHttp.GetAsync(server.Process.Web, "/health/live"));
        Assert.Equal((HttpStatusCode.OK, "ready\n"), await RawHttp.GetAsync(server.Process.Web, "/health/ready"));
        foreach (var (path, says) in new[] { ("/livez", "alive\n"), ("/readyz", "ready\n"), ("/startupz", "started\n") })
            Assert.Equal((HttpStatusCode.OK, says), await RawHttp.GetAsync(server.Process.Web, path));
    }

    [Fact]
    public async Task The_web_address_serves_nothing_but_health_and_metrics()
    {
        foreach (var path in new[] { "/", "/health", "/mfa.v1.MfaService/GetStatus", "/metrics/", "/Metrics", "/../data/dev.key" })
        {
            var (status, body) = await RawHttp.GetAsync(server.Process.Web, path);
            Assert.Equal(HttpStatusCode.NotFound, status);
            Assert.DoesNotContain(server.Process.DevKey, body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_grpc_address_speaks_no_older_http()
    {
        Assert.Equal(HttpStatusCode.BadRequest, (await RawHttp.GetAsync(server.Process.Grpc, "/health/live")).Status);
    }

    [Fact]
    public async Task In_production_there_is_no_key_nobody_made_and_no_list_of_services() // AU1, AU16
    {
        await using var production = await ServerProcess.StartInProductionAsync();

        Assert.False(File.Exists(Path.Combine(production.Data, "dev.key")));
        var keys = await ServerProgram.RunAsync("keys", "list", "--data", production.Data);
        Assert.Equal(2, keys.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length); // the heading, and the test's own
        foreach (var reflection in new[] { "grpc.reflection.v1alpha.ServerReflection", "grpc.reflection.v1.ServerReflection" })
        {
            await Refused.AsUnauthenticatedAsync(() => production.NewCallerWith().SendAsync(reflection, "ServerReflectionInfo", []));
            var error = await Assert.ThrowsAsync<RpcException>(() => production.Dev.SendAsync(reflection, "ServerReflectionInfo", []));
            Assert.Equal(StatusCode.Unimplemented, error.StatusCode);
        }

        Assert.Equal(Serving, await production.NewCallerWith().SendAsync(Health, "Check", []));
        await Owner.AssertServedAsync(production.Dev);
    }
}
