using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Transport;

/// <summary>One server in TLS for all tests of a class.</summary>
public class TlsServer : IAsyncLifetime
{
    private readonly string[] _settings;

    public TlsServer()
        : this([])
    {
    }

    protected TlsServer(string[] settings) => _settings = settings;

    internal ServerProcess Process { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Process = await ServerProcess.StartWithTlsAsync(Certificates.For("127.0.0.1"), settings: _settings);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Process.DisposeAsync();
    }
}
