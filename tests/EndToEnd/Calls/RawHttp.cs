using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;

namespace Mfa.EndToEnd.Calls;

/// <summary>gRPC by hand: sends any path as it is written, which a gRPC client would put in order first.</summary>
internal static class RawHttp
{
    private static readonly HttpClient Client = new();

    /// <returns>The status of the call, wherever in the response it stood; UNKNOWN when there was none.</returns>
    public static async Task<StatusCode> PostAsync(Uri grpc, string path, byte[] message, string? authorization = null)
    {
        var exact = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{grpc.GetLeftPart(UriPartial.Authority)}{path}", exact))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, (byte)(message.Length >> 8), (byte)message.Length, .. message]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (authorization is not null) request.Headers.TryAddWithoutValidation("authorization", authorization);

        using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        await response.Content.LoadIntoBufferAsync(TestContext.Current.CancellationToken); // trailers come after the body
        var status = response.Headers.Concat(response.TrailingHeaders).FirstOrDefault(header => header.Key == "grpc-status");
        return status.Value is null ? StatusCode.Unknown : Enum.Parse<StatusCode>(status.Value.Single());
    }

    /// <summary>Plain HTTP/1.1, as a load balancer asks for health.</summary>
    public static async Task<(HttpStatusCode Status, string Body)> GetAsync(Uri web, string path)
    {
        using var response = await Client.GetAsync(new Uri(web, path), TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
