using System.Diagnostics;
using Mfa.EndToEnd.Calls;

namespace Mfa.EndToEnd.Install;

/// <summary>A server out of a package, run as the package says.</summary>
internal sealed class InstalledServer : IAsyncDisposable
{
    /// <summary>Only a server that hangs gets there.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Process _process;

    private InstalledServer(Process process, Uri grpc, Caller caller, string key) => (_process, Grpc, Caller, Key) = (process, grpc, caller, key);

    public Uri Grpc { get; }

    public Caller Caller { get; }

    public string Key { get; }

    /// <param name="serve">The package's own command line, on free ports of this machine.</param>
    /// <param name="createKey">The operator's verb that prints a key.</param>
    public static async Task<InstalledServer> StartAsync(ProcessStartInfo serve, ProcessStartInfo createKey)
    {
        serve.RedirectStandardOutput = serve.RedirectStandardError = true;
        var process = Process.Start(serve)!;
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            var ready = await process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
            if (ready is null) Assert.Fail(await errors);
            Assert.StartsWith("ready ", ready, StringComparison.Ordinal);
            var address = new Uri(ready.Split(' ').Single(w => w.StartsWith("grpc=", StringComparison.Ordinal))["grpc=".Length..]);
            var key = (await Packages.DoneAsync(createKey)).Trim();
            return new InstalledServer(process, address, new Caller(address, [$"Bearer {key}"], new Secrets()), key);
        }
        catch
        {
            process.Kill();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Caller.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
