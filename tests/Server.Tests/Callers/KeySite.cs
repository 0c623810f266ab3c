using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mfa.Server.Tests.Callers;

/// <summary>An issuer's site that publishes its keys, over real HTTP.</summary>
internal sealed class KeySite : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _asked;

    private KeySite(WebApplication app) => _app = app;

    public string Url => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/keys";

    /// <summary>How often anything was asked for.</summary>
    public int Asked => Volatile.Read(ref _asked);

    public Func<HttpResponse, Task> Answer { get; set; } = _ => Task.CompletedTask;

    public static async Task<KeySite> StartAsync(string keySet)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var site = new KeySite(builder.Build());
        site.Publish(keySet);
        site._app.Run(http =>
        {
            Interlocked.Increment(ref site._asked);
            return site.Answer(http.Response);
        });
        await site._app.StartAsync();
        return site;
    }

    public void Publish(string keySet) => Answer = response => response.WriteAsync(keySet);

    public void Fail(int status) => Answer = response =>
    {
        response.StatusCode = status;
        return Task.CompletedTask;
    };

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
