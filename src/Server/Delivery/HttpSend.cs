namespace Mfa.Server.Delivery;

/// <summary>HTTP calls whose failures say nothing of what was in them: an address can hold a code.</summary>
internal static class HttpSend
{
    public static Task<HttpResponseMessage> GetAsync(HttpClient http, Uri url, CancellationToken ct) =>
        SendAsync(http, new HttpRequestMessage(HttpMethod.Get, url), ct);

    public static async Task<HttpResponseMessage> SendAsync(HttpClient http, HttpRequestMessage request, CancellationToken ct)
    {
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        }
        catch (HttpRequestException broken)
        {
            throw new SendFailedException(broken.HttpRequestError.ToString());
        }
    }
}
