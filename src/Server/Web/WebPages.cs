using Mfa.Server.Store;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mfa.Server.Web;

/// <summary>What the web address serves: plain health, and the page of mailed links. It shares nothing with the gRPC address but the process.</summary>
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

    public static void Map(IApplicationBuilder web) => web.Run(http => http.Request.Path.Value switch
    {
        "/disable" => DisablePage.ShowAsync(http, "disable.html", "text/html; charset=utf-8"),
        "/disable.css" => DisablePage.ShowAsync(http, "disable.css", "text/css; charset=utf-8"),
        "/disable.js" => DisablePage.ShowAsync(http, "disable.js", "text/javascript; charset=utf-8"),
        "/disable/confirm" when HttpMethods.IsPost(http.Request.Method) =>
            http.RequestServices.GetRequiredService<DisablePage>().ConfirmAsync(http),
        "/health/live" => Answer(http, StatusCodes.Status200OK, "alive\n"),
        "/health/ready" => StoreHealth.Answers(http.RequestServices.GetRequiredService<SqliteStore>())
            ? Answer(http, StatusCodes.Status200OK, "ready\n")
            : Answer(http, StatusCodes.Status503ServiceUnavailable, "not ready: the store does not answer\n"),
        _ => Answer(http, StatusCodes.Status404NotFound, "Nothing here. Try /health/live or /health/ready.\n"),
    });

    private static Task Answer(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain; charset=utf-8";
        return http.Response.WriteAsync(text, http.RequestAborted);
    }

    private sealed class WebListener;
}

/// <summary>Ready means that the store answers. Used by gRPC health and by the web address.</summary>
internal sealed class StoreHealth(SqliteStore store) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Answers(store) ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy());

    public static bool Answers(SqliteStore store)
    {
        try
        {
            return store.Read(session =>
            {
                var command = session.Command("SELECT count(*) FROM ring_keys");
                return command.ExecuteScalar() is long;
            });
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }
}
