using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mfa.Server.Transport;

/// <summary>
/// The operator's own authorities for callers. The system's trust store plays no part: everybody can get a certificate that it
/// trusts. A caller may come without a certificate; one that is shown must be right, or there is no connection.
/// </summary>
internal sealed class ClientAuthorities
{
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2"); // RFC 5280 §4.2.1.12, id-kp-clientAuth

    /// <summary>An organisation has fewer authorities of its own that its machines trust; a system comes with a hundred of others.</summary>
    private const int MostOfTheSystems = 10;

    private readonly X509Certificate2Collection _roots = [];
    private readonly X509Certificate2Collection _between = [];

    private ClientAuthorities(IEnumerable<X509Certificate2> certificates)
    {
        foreach (var certificate in certificates) (IsRoot(certificate) ? _roots : _between).Add(certificate);
    }

    /// <exception cref="StartRefusedException">There is no authority in it, or something that is none.</exception>
    public static ClientAuthorities From(string path, string pem, DateTimeOffset now)
    {
        var certificates = TlsFiles.CertificatesIn(pem);
        if (certificates.Count == 0 || !certificates.Any(IsRoot))
            throw new StartRefusedException($"Setting tls:clientCaFile: {path} holds no certificate of a root authority in PEM form.");
        if (certificates.Count > MostOfTheSystems && CountOfTheSystems(certificates) > MostOfTheSystems)
            throw new StartRefusedException($"Setting tls:clientCaFile: {path} holds the system's authorities, which vouch for anybody. Name a file with your own.");
        foreach (var certificate in certificates)
        {
            if (!IsAuthority(certificate))
                throw new StartRefusedException($"Setting tls:clientCaFile: {certificate.Subject} in {path} is not the certificate of an authority (CA).");
            TlsFiles.CheckTime("tls:clientCaFile", path, certificate, now);
        }

        return new ClientAuthorities(certificates);
    }

    public void CheckIn(SslServerAuthenticationOptions options)
    {
        options.ClientCertificateRequired = true; // asked for; that it may be absent is decided in Accepts
        options.CertificateChainPolicy = Policy();
        options.RemoteCertificateValidationCallback = (_, certificate, _, errors) => Accepts(certificate, errors);
    }

    private static int CountOfTheSystems(X509Certificate2Collection certificates)
    {
        using var system = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly);
        var known = system.Certificates;
        return certificates.Count(certificate => known.Contains(certificate));
    }

    private static bool Accepts(X509Certificate? shown, SslPolicyErrors errors) =>
        shown is null || (errors == SslPolicyErrors.None && shown is X509Certificate2 certificate && IsForClients(certificate));

    /// <summary>Said, not merely not denied: a certificate without any stated use would pass the chain's own check.</summary>
    private static bool IsForClients(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(uses => uses.EnhancedKeyUsages[ClientAuthentication.Value!] is not null);

    private X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck, // who is mapped to a caller is decided here, at every call
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(_roots);
        policy.ExtraStore.AddRange(_between);
        policy.ApplicationPolicy.Add(ClientAuthentication);
        return policy;
    }

    private static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority);

    private static bool IsRoot(X509Certificate2 certificate) =>
        IsAuthority(certificate) && certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);
}
