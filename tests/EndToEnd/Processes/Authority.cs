using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mfa.EndToEnd.Processes;

/// <summary>An authority of the test's own, that vouches for whatever it is asked to.</summary>
internal sealed class Authority : IDisposable
{
    public const string ForServers = "1.3.6.1.5.5.7.3.1"; // RFC 5280 §4.2.1.12
    public const string ForClients = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2 _certificate;

    private Authority(X509Certificate2 certificate) => _certificate = certificate;

    public string Pem => _certificate.ExportCertificatePem();

    public static Authority New(string name, Authority? issuer = null, int daysLeft = 30)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Test {name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        if (issuer is null) return new Authority(request.CreateSelfSigned(Day(-60), Day(daysLeft)));
        using var signed = request.Create(issuer._certificate, Day(-30), Day(20), RandomNumberGenerator.GetBytes(16));
        return new Authority(signed.CopyWithPrivateKey(key));
    }

    /// <param name="host">The DNS name, URI or IP address that it is for.</param>
    /// <param name="purpose">Null leaves the use unsaid.</param>
    /// <param name="daysLeft">Negative: it has expired.</param>
    /// <param name="daysPast">Negative: its time is yet to come.</param>
    /// <param name="commonName">What the subject claims; by default the same as <paramref name="host"/>.</param>
    public Certificates Issue(string host, string? purpose = ForServers, int daysLeft = 10, int daysPast = 15, string? commonName = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=\"{commonName ?? host}\"", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
        else if (Uri.TryCreate(host, UriKind.Absolute, out var uri)) names.AddUri(uri);
        else names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        if (purpose is not null) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        using var issued = request.Create(_certificate, Day(-daysPast), Day(daysLeft), RandomNumberGenerator.GetBytes(16));
        return new Certificates(issued.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), Pem);
    }

    /// <summary>Its own certificate, to show as if it were a caller's.</summary>
    public Certificates Itself() => new(Pem, _certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), Pem);

    public void Dispose() => _certificate.Dispose();

    private static DateTimeOffset Day(int fromToday) => TimeProvider.System.GetUtcNow().AddDays(fromToday);
}
