using System.Net;
using System.Text;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Page;

/// <summary>
/// A site of somebody else, with one page. It is served for real and on this machine: browsers keep pages of other networks,
/// and such as a test makes up, from calling this machine at all, and what the server does would not be tested.
/// </summary>
internal sealed class OtherSite : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly byte[] _html;
    private readonly Task _serving;

    public OtherSite(string html)
    {
        _html = Encoding.UTF8.GetBytes(html);
        Address = new Uri($"http://localhost:{FreePort.Next()}/"); // another name than the server's: another site
        _listener.Prefixes.Add(Address.ToString());
        _listener.Start();
        _serving = ServeAsync();
    }

    public Uri Address { get; }

    public async ValueTask DisposeAsync()
    {
        _listener.Close(); // at once: closing after a stop binds the port again, and may not get it
        await _serving;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                context.Response.ContentType = "text/html";
                await context.Response.OutputStream.WriteAsync(_html);
                context.Response.Close();
            }
        }
        catch (Exception stopped) when (stopped is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
