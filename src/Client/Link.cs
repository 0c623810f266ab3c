using System.Net.Security;
using System.Net.Sockets;
using Grpc.Core;

namespace Mfa.Client;

/// <summary>The way to the server, and how far this run got on it. A failed call only says that there was no answer;
/// what a person can do about it is known here.</summary>
internal sealed class Link(Uri endpoint, ServerCheck server, ClientCertificate? certificate)
{
    private volatile bool _connected;
    private volatile bool _asked;
    private volatile bool _heard;

    private string Where => endpoint.GetLeftPart(UriPartial.Authority);

    public SocketsHttpHandler NewHandler() => new()
    {
        // Plain text is for loopback only; a proxy named in the environment would carry it elsewhere.
        UseProxy = endpoint.Scheme == "https",
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectCallback = ConnectAsync,
        PlaintextStreamFilter = (context, _) => ValueTask.FromResult<Stream>(new HeardStream(context.PlaintextStream, () => _heard = true)),
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = server.Policy,
            RemoteCertificateValidationCallback = server.IsTrusted,
            ClientCertificateContext = certificate?.Context,
            LocalCertificateSelectionCallback = certificate is not null ? null : (_, _, _, peer, _) =>
            {
                _asked |= peer is not null; // without one it is asked for beforehand, by nobody
                return null!;
            },
        },
    };

    /// <returns>What is wrong with the way to the server; null when the server itself answered.</returns>
    public (string Reason, string Message)? Explain(RpcException error)
    {
        if (server.Refusal is { } refusal)
            return ("NOT_TRUSTED", $"The certificate of {Where} is not trusted; nothing was sent. {refusal}");
        if (!_connected && error.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
            return ("CANNOT_REACH", $"Cannot reach {Where} : {WhyNot(error)}");
        if (_heard || error.Status.DebugException is not HttpRequestException) return null;
        // It hung up before its first word, which is all that many servers say to a certificate.
        if (certificate is not null)
        {
            return ("CLIENT_CERTIFICATE", $"{Where} ended the connection, as servers do that refuse a client certificate: "
                + $"is {certificate.File} in time, and of an authority that the server trusts?");
        }
        return _asked ? ("CLIENT_CERTIFICATE", $"{Where} wants a client certificate: give --cert and --key.") : null;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, ct);
            _connected = true;
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static string WhyNot(RpcException error) =>
        Causes(error.Status.DebugException).OfType<SocketException>().FirstOrDefault()?.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => "is the server running?",
            SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "there is no such host.",
            SocketError.NetworkUnreachable or SocketError.HostUnreachable => "there is no way to that network.",
            null or SocketError.TimedOut => "nothing answers there.",
            var other => $"{other}.",
        };

    private static IEnumerable<Exception> Causes(Exception? error)
    {
        for (; error is not null; error = error.InnerException) yield return error;
    }
}
