using Mfa.Server.Observability;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mfa.Server.Web;

/// <summary>What the web address serves: plain health, metrics, and the page of mailed links. It shares nothing with the gRPC address but the process.</summary>
internal static class WebPages
{
    /// <summary>Marks the connections of a listener: a port number would not do, it is not known before the start.</summary>
    public static void MarkAsWeb(this ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.Use(next => connection =>
        {
            connection.Features.Set(new WebListener());
            return next(connection);
        });
    }

    public static bool IsWeb(HttpContext http) => http.Features.Get<WebListener>() is not null;

    public static void Map(IApplicationBuilder web, TelemetryOptions telemetry)
    {
        web.Use(next => http =>
        {
            Protect(http.Response.Headers);
            return next(http);
        });
        web.ServeMetrics(telemetry);
        web.Run(AnswerAsync);
    }

    /// <summary>
    /// On whatever is answered. Nothing from elsewhere, nothing inline, not in a frame, nothing told to the next page, nothing
    /// kept in a cache, no hold on the window for the page that opened it.
    /// </summary>
    private static void Protect(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "
            + "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    private static Task AnswerAsync(HttpContext http) => (http.Request.Path.Value, http.Request.Method) switch
    {
        ("/disable/confirm", "POST") => http.RequestServices.GetRequiredService<DisablePage>().ConfirmAsync(http),
        ("/disable/confirm", _) => RefuseMethod(http, "POST"),
        (not ("/disable" or "/disable.css" or "/disable.js" or "/disable.svg" or "/livez" or "/readyz" or "/startupz" or "/health/live"
            or "/health/ready"), _) => Answer(http, StatusCodes.Status404NotFound, "Nothing here. Try /livez, /readyz or /startupz.\n"),
        (_, not ("GET" or "HEAD")) => RefuseMethod(http, "GET, HEAD"),
        ("/disable", _) => DisablePage.ShowAsync(http, "disable.html", "text/html; charset=utf-8"),
        ("/disable.css", _) => DisablePage.ShowAsync(http, "disable.css", "text/css; charset=utf-8"),
        ("/disable.js", _) => DisablePage.ShowAsync(http, "disable.js", "text/javascript; charset=utf-8"),
        ("/disable.svg", _) => DisablePage.ShowAsync(http, "disable.svg", "image/svg+xml"),
        ("/livez" or "/health/live", _) => Answer(http, StatusCodes.Status200OK, "alive\n"),
        ("/startupz", _) => Host(http).ApplicationStarted.IsCancellationRequested
            ? Answer(http, StatusCodes.Status200OK, "started\n")
            : Answer(http, StatusCodes.Status503ServiceUnavailable, "not started yet\n"),
        ("/readyz" or "/health/ready", _) => ReadyAsync(http),
    };

    private static async Task ReadyAsync(HttpContext http)
    {
        var health = http.RequestServices.GetRequiredService<StoreHealth>();
        var refusal = Host(http).ApplicationStopping.IsCancellationRequested ? "the server is stopping"
            : !await health.AnswersAsync() ? "the store does not answer"
            : null;
        await (refusal is null
            ? Answer(http, StatusCodes.Status200OK, Ready(http.RequestServices.GetRequiredService<SteadyClock>()))
            : Answer(http, StatusCodes.Status503ServiceUnavailable, $"not ready: {refusal}\n"));
    }

    /// <summary>A clock that was set back takes nothing out of service: what depends on time fails closed, and apps' codes go by the clock.</summary>
    private static string Ready(SteadyClock clock) => clock.Behind > SteadyClock.Tolerance
        ? $"ready\nThe system clock is {(long)clock.Behind.TotalSeconds} s behind. See: mfa-server clock status\n"
        : "ready\n";

    private static IHostApplicationLifetime Host(HttpContext http) => http.RequestServices.GetRequiredService<IHostApplicationLifetime>();

    /// <summary>RFC 9110 §15.5.6. Also what a preflight of another site gets, which lets nothing through.</summary>
    private static Task RefuseMethod(HttpContext http, string allowed)
    {
        http.Response.Headers.Allow = allowed;
        return Answer(http, StatusCodes.Status405MethodNotAllowed, $"Only {allowed}.\n");
    }

    private static Task Answer(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain; charset=utf-8";
        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : http.Response.WriteAsync(text, http.RequestAborted);
    }

    private sealed class WebListener;
}
