using System.Text.Json;
using Mfa.EndToEnd.Delivery;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Watch;

/// <summary>The Aspire dashboard, alone: it takes OTLP by gRPC, and answers as JSON what it has understood.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly HttpClient _http = new() { BaseAddress = new Uri($"http://127.0.0.1:{FreePort.Next()}/") };
    private readonly Peer _program;

    private Receiver()
    {
        string[] settings =
        [
            $"HOME={_folder.Path}", $"ASPNETCORE_URLS={_http.BaseAddress}", $"ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL={Otlp}",
            "ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS=true", "ASPIRE_DASHBOARD_API_ENABLED=true",
        ];
        _program = Peer.Start("coreutils", "env", [.. settings, ServerProgram.Receiver]);
    }

    public Uri Otlp { get; } = new($"http://127.0.0.1:{FreePort.Next()}");

    public static async Task<Receiver> StartAsync()
    {
        var receiver = new Receiver();
        await Eventually.IsAsync("the receiver listens", () =>
        {
            Assert.False(receiver._program.HasEnded, string.Join('\n', receiver._program.Lines));
            return Task.FromResult(receiver._program.Lines.Any(line => line.Contains("OTLP/gRPC listening", StringComparison.Ordinal)));
        });
        return receiver;
    }

    /// <param name="what">resources, traces or logs.</param>
    public async Task<JsonElement> AskAsync(string what) => JsonDocument.Parse(
        await _http.GetStringAsync(new Uri($"api/telemetry/{what}", UriKind.Relative), TestContext.Current.CancellationToken)).RootElement;

    public async ValueTask DisposeAsync()
    {
        await _program.DisposeAsync();
        _http.Dispose();
        _folder.Dispose();
    }
}
