using System.Net.NetworkInformation;
using Mfa.EndToEnd.Delivery;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Doctor;

/// <summary>A time server: chronyd (Debian package chrony), on a port of its own, that leaves the machine's clock alone.</summary>
internal sealed class TimeServer : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private Peer? _program;

    public int Port { get; } = FreePort.Next();

    public string Reference => $"127.0.0.1:{Port}";

    /// <param name="ahead">By how many seconds its clock is ahead of ours.</param>
    /// <param name="knows">Whether it takes its own clock for right.</param>
    public static async Task<TimeServer> StartAsync(int ahead = 0, bool knows = true)
    {
        var server = new TimeServer();
        await File.WriteAllTextAsync(server._folder["chrony.conf"], $"""
            port {server.Port}
            bindaddress 127.0.0.1
            allow 127.0.0.1
            cmdport 0
            pidfile {server._folder["pid"]}
            {(knows ? "local stratum 5" : "")}

            """);
        string[] chronyd = ["/usr/sbin/chronyd", "-x", "-d", "-U", "-f", server._folder["chrony.conf"]];
        server._program = ahead == 0
            ? Peer.Start("chrony", chronyd[0], chronyd[1..])
            // What the program faketime does, but it stays in between and would be ended in chronyd's place.
            : Peer.Start("faketime", "env", ["LD_PRELOAD=/usr/$LIB/faketime/libfaketime.so.1", $"FAKETIME={ahead:+0;-0}s", .. chronyd]);
        while (!IPGlobalProperties.GetIPGlobalProperties().GetActiveUdpListeners().Any(listener => listener.Port == server.Port))
        {
            Assert.False(server._program.HasEnded, string.Join('\n', server._program.Lines));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        return server;
    }

    public async ValueTask DisposeAsync()
    {
        if (_program is not null) await _program.DisposeAsync();
        _folder.Dispose();
    }
}
