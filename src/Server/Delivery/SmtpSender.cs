using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using Mfa.Server.Domain;

namespace Mfa.Server.Delivery;

/// <summary>Where mail is handed over.</summary>
internal sealed record SmtpOptions
{
    /// <summary>Host name, as in the server's certificate. Empty: no mail server.</summary>
    public string Host { get; init; } = "";

    /// <value>1 to 65,535. Default 587 (submission, RFC 6409).</value>
    public int Port { get; init; } = 587;

    /// <summary>Whether TLS is there from the first byte (RFC 8314 §3.3) instead of after STARTTLS. Without TLS nothing is sent.</summary>
    public bool ImplicitTls { get; init; }

    /// <summary>Login name. Empty: no login.</summary>
    public string User { get; init; } = "";

    /// <summary>A file with the password, readable by its owner alone.</summary>
    public string PasswordFile { get; init; } = "";

    /// <summary>The sender's address.</summary>
    public string From { get; init; } = "";

    /// <summary>A PEM file with the certificate authority to trust instead of the system's.</summary>
    public string CaFile { get; init; } = "";
}

/// <summary>Hands mail to an SMTP server over TLS with a checked certificate, or not at all.</summary>
internal sealed class SmtpSender(SmtpOptions options, string name, string fromName) : ISender
{
    private const int TimeoutMilliseconds = 15_000;

    /// <summary>Until the goodbye is said the message is not known as sent: a crash in between would send it again.</summary>
    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(2);

    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1"); // RFC 5280 §4.2.1.12

    public string Name => name;

    public Channel Channel => Channel.Email;

    public async Task SendAsync(Guid id, MessageContent message, CancellationToken ct)
    {
        using var client = NewClient();
        try
        {
            await ConnectAsync(client, ct);
            await LogInAsync(client, ct);
            await client.SendAsync(MailMessages.Build(message, fromName, options.From, id), ct);
        }
        catch (SmtpCommandException refused)
        {
            throw new SendFailedException($"refused with {(int)refused.StatusCode}"); // the server's text may repeat the address
        }
        catch (Exception broken) when (broken is SmtpProtocolException or SslHandshakeException or MailKit.Security.AuthenticationException
            or NotSupportedException or ServiceNotConnectedException or ServiceNotAuthenticatedException or System.Net.Sockets.SocketException or TimeoutException)
        {
            throw new SendFailedException(broken.GetType().Name);
        }

        using var goodbye = CancellationTokenSource.CreateLinkedTokenSource(ct);
        goodbye.CancelAfter(GoodbyeTimeout);
        try
        {
            await client.DisconnectAsync(quit: true, goodbye.Token); // the message is the server's already: a failed goodbye is no failure
        }
        catch (Exception broken) when (broken is SmtpProtocolException or IOException or SmtpCommandException or OperationCanceledException)
        {
            _ = broken;
        }
    }

    /// <summary>All that comes before a message, and no message: throws what keeps one from being sent.</summary>
    /// <param name="patience">For the connection; a login may take three times that, as servers answer a wrong one slowly on purpose.</param>
    public async Task GreetAsync(TimeSpan patience, CancellationToken ct)
    {
        using var client = NewClient();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(patience);
        await ConnectAsync(client, limit.Token);
        limit.CancelAfter(3 * patience);
        await LogInAsync(client, limit.Token);
        await client.DisconnectAsync(quit: true, limit.Token);
    }

    private SmtpClient NewClient()
    {
        var client = new SmtpClient { Timeout = TimeoutMilliseconds, CheckCertificateRevocation = false };
        if (options.CaFile.Length > 0) client.ServerCertificateValidationCallback = (_, certificate, sent, errors) => IsTrusted(certificate, sent, errors);
        return client;
    }

    private Task ConnectAsync(SmtpClient client, CancellationToken ct)
    {
        var security = options.ImplicitTls ? SecureSocketOptions.SslOnConnect : SecureSocketOptions.StartTls; // not "when available"
        return client.ConnectAsync(options.Host, options.Port, security, ct);
    }

    private Task LogInAsync(SmtpClient client, CancellationToken ct) =>
        options.User.Length > 0 ? client.AuthenticateAsync(options.User, SecretFile.Read(options.PasswordFile), ct) : Task.CompletedTask;

    /// <summary>A chain to the one authority given, for the host asked for and the use as a server, through what was sent along.</summary>
    private bool IsTrusted(X509Certificate? certificate, X509Chain? sent, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 server || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPemFile(options.CaFile);
        if (sent is not null) chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        chain.ChainPolicy.ApplicationPolicy.Add(ServerAuthentication);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true; // from wherever a stranger's certificate says
        return chain.Build(server);
    }
}
