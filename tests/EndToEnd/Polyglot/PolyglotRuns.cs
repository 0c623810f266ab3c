using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Polyglot;

/// <summary>A run on each build of the server.</summary>
public sealed class PolyglotRuns : IAsyncLifetime
{
    private readonly Dictionary<string, PolyglotRun> _runs = new(StringComparer.Ordinal);

    /// <summary>The normal build, and the native one when that is what is tested.</summary>
    public static string[] Builds { get; } = ServerProgram.Path == ServerProgram.Normal ? ["normal"] : ["normal", "native"];

    public PolyglotRun this[string build] => _runs[build];

    public async ValueTask InitializeAsync()
    {
        // What an example says depends on the client: once is enough.
        foreach (var build in Builds) _runs[build] = await PolyglotRun.OnAsync(build == "normal" ? ServerProgram.Normal : ServerProgram.Path, build == Builds[^1]);
    }

    public ValueTask DisposeAsync()
    {
        foreach (var run in _runs.Values) run.Dispose();
        return ValueTask.CompletedTask;
    }
}
