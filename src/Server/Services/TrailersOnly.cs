using System.Globalization;
using System.Text;
using Grpc.Core;

namespace Mfa.Server.Services;

/// <summary>Answers a call before it reaches gRPC: a response of headers alone, with status 200 (gRPC over HTTP/2, Responses).</summary>
internal static class TrailersOnly
{
    public static void Write(HttpResponse response, RpcException error)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = ((int)error.StatusCode).ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Escaped(error.Status.Detail);
        foreach (var entry in error.Trailers)
            response.Headers[entry.Key] = entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes) : entry.Value;
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
