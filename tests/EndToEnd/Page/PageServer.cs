using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Page;

/// <summary>A server whose mails link to its own page, for all tests of a class.</summary>
public sealed class PageServer : IAsyncLifetime
{
    internal ServerProcess Process { get; private set; } = null!;

    internal Uri Page => new(Process.Web, "/disable");

    public async ValueTask InitializeAsync()
    {
        var web = $"http://127.0.0.1:{FreePort.Next()}";
        Process = await ServerProcess.StartOnAsync(web, $"messages:disablePage={web}/disable", "sends:gapSeconds=0");
    }

    public ValueTask DisposeAsync() => Process.DisposeAsync();
}
