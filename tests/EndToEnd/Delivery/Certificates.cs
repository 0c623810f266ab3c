using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mfa.EndToEnd.Delivery;

/// <summary>A server's certificate with its key and what it sends along, and the authority that the sender is told to trust. All PEM.</summary>
internal sealed record Certificates(string Chain, string Key, string Trusted)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>Vouched for by the trusted authority itself.</summary>
    public static Certificates For(string host, string purpose = ServerAuthentication, int daysLeft = 10)
    {
        using var root = NewAuthority("root", issuer: null);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var server = NewServer(host, purpose, key, root, daysLeft);
        return new Certificates(server.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), root.ExportCertificatePem());
    }

    /// <summary>Vouched for by an authority that the trusted one vouches for, and whose certificate the server sends.</summary>
    public static Certificates WithIntermediate(string host)
    {
        using var root = NewAuthority("root", issuer: null);
        using var between = NewAuthority("intermediate", root);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var server = NewServer(host, ServerAuthentication, key, between, daysLeft: 10);
        return new Certificates(
            server.ExportCertificatePem() + "\n" + between.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), root.ExportCertificatePem());
    }

    public static Certificates ForOtherUse(string host) => For(host, ClientAuthentication);

    public static Certificates Expired(string host) => For(host, daysLeft: -1);

    /// <summary>Of an authority with the trusted one's name and another key.</summary>
    public static Certificates OfAnotherAuthority(string host) => For(host) with { Trusted = For(host).Trusted };

    private static X509Certificate2 NewAuthority(string name, X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Test {name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        var (from, to) = (Day(-30), Day(30));
        if (issuer is null) return request.CreateSelfSigned(from, to);
        using var signed = request.Create(issuer, from, Day(20), RandomNumberGenerator.GetBytes(16));
        return signed.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 NewServer(string host, string purpose, ECDsa key, X509Certificate2 issuer, int daysLeft)
    {
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        return request.Create(issuer, Day(-15), Day(daysLeft), RandomNumberGenerator.GetBytes(16));
    }

    private static DateTimeOffset Day(int fromToday) => TimeProvider.System.GetUtcNow().AddDays(fromToday);
}
