using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Calls;

/// <summary>The TLS of a caller: one authority that it trusts, and the certificate that it shows, if any.</summary>
internal static class Trust
{
    public static SocketsHttpHandler In(string authority, Certificates? shown = null) => new() { SslOptions = Options(authority, shown) };

    public static SslClientAuthenticationOptions Options(string authority, Certificates? shown = null)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(authority);
        var options = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        if (shown is not null) options.ClientCertificateContext = SslStreamCertificateContext.Create(shown.Open(), additionalCertificates: null, offline: true);
        return options;
    }
}
