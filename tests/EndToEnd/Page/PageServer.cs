using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Page;

/// <summary>A server whose mails link to its own page, for all tests of a class.</summary>
public sealed class PageServer : IAsyncLifetime
{
    internal ServerProcess Process { get; private set; } = null!;

    internal Uri Page => new(Process.Web, "/disable");

    public async ValueTask InitializeAsync()
    {
        var web = $"http://127.0.0.1:{FreePort()}";
        Process = await ServerProcess.StartOnAsync(web, $"messages:disablePage={web}/disable", "sends:gapSeconds=0");
    }

    public ValueTask DisposeAsync() => Process.DisposeAsync();

    /// <summary>Below the ports that outgoing connections take: none of those gets it before the server does.</summary>
    internal static int FreePort()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(10_000, 30_000);
            using var probe = new TcpListener(IPAddress.Loopback, port);
            try
            {
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: another one.
            }
        }
    }
}
