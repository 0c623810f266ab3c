using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Postgres;

/// <summary>Servers on one database: each with a folder of its own, all with the same key ring.</summary>
internal sealed class SharedServers : IAsyncDisposable
{
    private readonly List<ServerProcess> _servers = [];

    public IReadOnlyList<ServerProcess> All => _servers;

    public Caller Caller => _servers[0].Dev;

    public static async Task<SharedServers> StartAsync(string store, int count, params string[] settings)
    {
        var servers = new SharedServers();
        string[] all = [$"store:connection={store}", "sends:gapSeconds=0", .. settings];
        try
        {
            servers._servers.Add(await ServerProcess.StartAsync(all));
            while (servers._servers.Count < count) servers._servers.Add(await ServerProcess.StartBesideAsync(servers._servers[0], all));
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    /// <summary>Callers spread over the servers, each on a connection of its own that is open by now.</summary>
    /// <param name="over">How many of the servers; all when not given.</param>
    public async Task<Caller[]> CallersAsync(int count, int? over = null)
    {
        var callers = Enumerable.Range(0, count).Select(i => _servers[i % (over ?? _servers.Count)].NewCaller(_servers[0].DevKey)).ToArray();
        try
        {
            await Task.WhenAll(callers.Select(caller => caller.GetStatusAsync("nobody")));
            return callers;
        }
        catch (RpcException) when (_servers.Exists(server => server.EndedByItself is not null))
        {
            AssertAllRun();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        var ended = _servers.Select(server => server.EndedByItself).OfType<string>().ToList();
        foreach (var server in _servers) await server.DisposeAsync();
        Assert.True(ended.Count == 0, string.Join('\n', ended)); // none of these tests wants one to
    }

    private void AssertAllRun() => Assert.Empty(_servers.Select(server => server.EndedByItself).OfType<string>());
}
