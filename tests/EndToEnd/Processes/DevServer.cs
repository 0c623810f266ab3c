namespace Mfa.EndToEnd.Processes;

/// <summary>One server for all tests of a class. The tests share nothing but it: each has accounts of its own.</summary>
public class DevServer : IAsyncLifetime
{
    private readonly string[] _settings;

    public DevServer()
        : this([])
    {
    }

    protected DevServer(string[] settings) => _settings = settings;

    internal ServerProcess Process { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Process = await ServerProcess.StartAsync(_settings);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Process.DisposeAsync();
    }
}
