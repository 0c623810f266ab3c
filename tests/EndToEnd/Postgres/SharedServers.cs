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
    public async Task<Caller[]> CallersAsync(int count)
    {
        var callers = Enumerable.Range(0, count).Select(i => _servers[i % _servers.Count].NewCaller(_servers[0].DevKey)).ToArray();
        await Task.WhenAll(callers.Select(caller => caller.GetStatusAsync("nobody")));
        return callers;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
    }
}
