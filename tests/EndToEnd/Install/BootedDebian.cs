using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Install;

/// <summary>A Debian with a systemd of its own as process 1 (tests/EndToEnd/Install/boot). Needs the superuser.</summary>
internal sealed class BootedDebian : IAsyncDisposable
{
    /// <summary>A boot takes a second or two; only one that hangs gets there.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TempFolder _folder;
    private readonly Process _process;
    private readonly string _init;

    private BootedDebian(Process process, string init, TempFolder folder) => (_process, _init, _folder) = (process, init, folder);

    /// <param name="package">Lies in /run/host afterwards, under its own name.</param>
    public static async Task<BootedDebian> StartAsync(string package)
    {
        var folder = new TempFolder();
        Directory.CreateDirectory(folder["disk"]);
        File.Copy(package, folder[Path.GetFileName(package)]);
        using var told = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        told.Bind(new UnixDomainSocketEndPoint(folder["notify"]));
        var process = Process.Start(AsRoot(Path.Combine(ServerProgram.Repository, "tests/EndToEnd/Install/boot"), folder["."]))!;
        var errors = process.StandardError.ReadToEndAsync();
        var init = await process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        if (init is null) Assert.Fail(await errors);
        var debian = new BootedDebian(process, init, folder);
        using var hang = new CancellationTokenSource(Patience);
        var message = new byte[4096];
        while (!Encoding.UTF8.GetString(message, 0, await told.ReceiveAsync(message, hang.Token)).Split('\n').Contains("READY=1"))
        {
            // It tells how far it is, too.
        }

        return debian;
    }

    /// <summary>Runs a line of shell inside, as root.</summary>
    /// <returns>What it printed.</returns>
    public async Task<string> DoneAsync(string line) => (await Packages.DoneAsync(AsRoot(
        "nsenter", "--target", _init, "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--root", "--wd",
        "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-ec", line))).Trim();

    public async ValueTask DisposeAsync()
    {
        await Packages.DoneAsync(AsRoot("kill", "-KILL", _init));
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    private static ProcessStartInfo AsRoot(params string[] command)
    {
        string[] words = Environment.IsPrivilegedProcess ? command : ["sudo", "--non-interactive", .. command];
        return new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
    }
}
