using System.Globalization;
using System.Text;
using Grpc.Core;

namespace Mfa.Server.Services;

/// <summary>Answers a call that does not reach a handler (gRPC over HTTP/2, Responses).</summary>
internal static class TrailersOnly
{
    public const string Status = "grpc-status";
    public const string Details = "grpc-status-details-bin";

    /// <summary>A response of headers alone, with HTTP status 200.</summary>
    public static void Write(HttpResponse response, RpcException error)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        Write(response.Headers, error);
    }

    public static void Write(IHeaderDictionary headers, RpcException error)
    {
        headers[Status] = ((int)error.StatusCode).ToString(CultureInfo.InvariantCulture);
        headers["grpc-message"] = Escaped(error.Status.Detail);
        foreach (var entry in error.Trailers)
            headers[entry.Key] = entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes) : entry.Value;
    }

    /// <summary>Percent-encodes what is not printable ASCII, and the percent sign.</summary>
    private static string Escaped(string message)
    {
        var escaped = new StringBuilder(message.Length);
        foreach (var b in Encoding.UTF8.GetBytes(message))
            _ = b is >= 0x20 and <= 0x7E and not (byte)'%' ? escaped.Append((char)b) : escaped.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        return escaped.ToString();
    }
}
