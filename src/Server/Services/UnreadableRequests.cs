namespace Mfa.Server.Services;

/// <summary>
/// Gives requests that gRPC could not read the shape of every other error. Reading happens before any interceptor, and ends in
/// a status without details: UNKNOWN for what does not parse, RESOURCE_EXHAUSTED for what is too large.
/// </summary>
internal sealed class UnreadableRequests(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext http)
    {
        await next(http);

        // Nothing was sent yet, so the status stands among the headers.
        var headers = http.Response.Headers;
        if (http.Response.HasStarted || headers.ContainsKey(TrailersOnly.Details)) return;
        var error = headers[TrailersOnly.Status].ToString() switch
        {
            "2" => Errors.Unreadable(),
            "8" => Errors.TooLarge(),
            _ => null,
        };
        if (error is not null) TrailersOnly.Write(headers, error);
    }
}
