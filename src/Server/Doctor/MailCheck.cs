using System.Net.Sockets;
using MailKit.Net.Smtp;
using MailKit.Security;
using Mfa.Server.Delivery;

namespace Mfa.Server.Doctor;

/// <summary>Whether the mail server lets us in, as far as the login; no message is sent.</summary>
internal static class MailCheck
{
    public static async Task<Finding> GreetAsync(string section, SmtpOptions options, CancellationToken ct)
    {
        var where = $"{options.Host}:{options.Port}";
        try
        {
            await new SmtpSender(options, section, "").GreetAsync(GatewayCheck.Timeout, ct);
            return Finding.Ok($"{where} answers in TLS with a certificate that is trusted{(options.User.Length > 0 ? $", and takes the login {options.User}" : "")}.");
        }
        catch (SocketException away)
        {
            return Finding.Fail($"{where} cannot be reached ({away.SocketErrorCode}).", $"Check {section}:host and {section}:port, the name server and the firewall.");
        }
        catch (SslHandshakeException)
        {
            return Finding.Fail(
                $"{where}: no TLS with a certificate that is trusted for this name.",
                $"Check {section}:host against the certificate, {section}:caFile, and {section}:implicitTls (port 465 wants it, 587 does not).");
        }
        catch (AuthenticationException)
        {
            return Finding.Fail($"{where} refuses the login {options.User}.", $"Check {section}:user and the file in {section}:passwordFile.");
        }
        catch (NotSupportedException)
        {
            return Finding.Fail($"{where} offers no STARTTLS, or no way to log in.", $"Without TLS nothing is sent. Name another server, or set {section}:implicitTls.");
        }
        catch (Exception odd) when (odd is SmtpCommandException or SmtpProtocolException)
        {
            return Finding.Fail($"{where} does not talk as a mail server should ({odd.GetType().Name}).", $"Check {section}:port and {section}:implicitTls.");
        }
        catch (Exception late) when (late is OperationCanceledException or TimeoutException && !ct.IsCancellationRequested)
        {
            return Finding.Fail($"{where} does not answer in time.", $"Check {section}:host, {section}:port, {section}:implicitTls and the firewall.");
        }
    }
}
