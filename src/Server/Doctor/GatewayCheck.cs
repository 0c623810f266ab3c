using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Mfa.Server.Doctor;

/// <summary>Whether an SMS gateway is there, and in TLS is who it says; no message is sent.</summary>
internal static class GatewayCheck
{
    /// <summary>Longer than any gateway that is of use takes, and short enough to wait for.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public static async Task<Finding> ConnectAsync(string section, Uri url, CancellationToken ct)
    {
        var where = $"{url.Host}:{url.Port}";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Timeout);
        try
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(url.IdnHost, url.Port, limit.Token);
            if (url.Scheme != Uri.UriSchemeHttps) return Finding.Ok($"{where} takes connections.");
            await using var tls = new SslStream(connection.GetStream());
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = url.IdnHost }, limit.Token);
            return Finding.Ok($"{where} answers in TLS with a certificate that is trusted.");
        }
        catch (SocketException away)
        {
            return Finding.Fail($"{where} cannot be reached ({away.SocketErrorCode}).", $"Check {section}:url, the name server and the firewall.");
        }
        catch (Exception stranger) when (stranger is AuthenticationException or IOException)
        {
            return Finding.Fail($"{where}: no TLS with a certificate that is trusted for this name.", $"Check {section}:url, and the authorities that this machine trusts.");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Finding.Fail($"{where} does not answer within {Timeout.TotalSeconds} s.", $"Check {section}:url and the firewall.");
        }
    }
}
