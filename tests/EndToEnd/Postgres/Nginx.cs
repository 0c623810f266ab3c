using System.Diagnostics;
using System.Net.Sockets;
using Mfa.EndToEnd.Docs;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Postgres;

/// <summary>nginx (Debian package nginx) in front of two servers, set up as docs/scaling.md shows it.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TempFolder _folder;
    private readonly Process _process;

    private Nginx(TempFolder folder, Process process, Uri address) => (_folder, _process, Address) = (folder, process, address);

    public Uri Address { get; }

    public static async Task<Nginx> StartAsync(Uri first, Uri second)
    {
        var port = FreePort.Next();
        var shown = Snippet.Of("docs/scaling.md").Single(snippet => snippet.Label == "nginx").Text
            .Replace("127.0.0.1:7001", first.Authority, StringComparison.Ordinal).Replace("127.0.0.1:7002", second.Authority, StringComparison.Ordinal)
            .Replace("127.0.0.1:7443", $"127.0.0.1:{port}", StringComparison.Ordinal);
        var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["nginx.conf"], $$"""
            daemon off;
            pid {{folder["pid"]}};
            error_log {{folder["errors"]}};
            events {}
            http {
              access_log off;
              client_body_temp_path {{folder["body"]}};
              proxy_temp_path {{folder["proxy"]}};
              fastcgi_temp_path {{folder["fastcgi"]}};
              uwsgi_temp_path {{folder["uwsgi"]}};
              scgi_temp_path {{folder["scgi"]}};
              {{shown}}
            }
            """, TestContext.Current.CancellationToken);
        var start = new ProcessStartInfo("/usr/sbin/nginx", ["-c", folder["nginx.conf"], "-e", folder["errors"]]) { UseShellExecute = false };
        var nginx = new Nginx(folder, Process.Start(start)!, new Uri($"http://127.0.0.1:{port}"));
        await nginx.AnswersAsync(port);
        return nginx;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    private async Task AnswersAsync(int port)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
                return;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(begun) < Patience && !_process.HasExited)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken); // it tells in no other way that it listens
            }
        }
    }
}
