using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mfa.Client.Tests;

/// <summary>A certificate authority, made for one test, and the certificates that it gives out.</summary>
internal sealed class Authority : IDisposable
{
    public const string ForServers = "1.3.6.1.5.5.7.3.1";
    public const string ForClients = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2 _own;

    private Authority(X509Certificate2 own) => _own = own;

    public string Pem => _own.ExportCertificatePem();

    /// <summary>All have the same name: what tells them apart is the key.</summary>
    public static Authority New() => new(NewAuthority(issuer: null));

    /// <summary>One that this one vouches for.</summary>
    public Authority Under() => new(NewAuthority(_own));

    /// <summary>A server's certificate, by default a good one for where the stub listens.</summary>
    public X509Certificate2 Server(string host = "127.0.0.1", string purpose = ForServers, int fromDay = -5, int toDay = 5) =>
        New($"CN={host}", host, purpose, fromDay, toDay, _own);

    public X509Certificate2 Client(string name, int toDay = 5) => New($"CN={name}", name, ForClients, -5, toDay, _own);

    public static X509Certificate2 SelfSigned(string host = "127.0.0.1") => New($"CN={host}", host, ForServers, -5, 5, issuer: null);

    public void Dispose() => _own.Dispose();

    private static X509Certificate2 New(string subject, string host, string purpose, int fromDay, int toDay, X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
        else names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        return Signed(request, key, fromDay, toDay, issuer);
    }

    private static X509Certificate2 NewAuthority(X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(issuer is null ? "CN=Test root" : "CN=Test intermediate", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return Signed(request, key, issuer is null ? -30 : -25, issuer is null ? 30 : 25, issuer);
    }

    private static X509Certificate2 Signed(CertificateRequest request, ECDsa key, int fromDay, int toDay, X509Certificate2? issuer)
    {
        if (issuer is null) return request.CreateSelfSigned(Day(fromDay), Day(toDay));
        using var signed = request.Create(issuer, Day(fromDay), Day(toDay), RandomNumberGenerator.GetBytes(16));
        return signed.CopyWithPrivateKey(key);
    }

    private static DateTimeOffset Day(int fromToday) => TimeProvider.System.GetUtcNow().AddDays(fromToday);
}
