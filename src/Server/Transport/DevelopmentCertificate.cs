using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mfa.Server.Transport;

/// <summary>A certificate that nobody vouches for but its own file, for a first try of TLS.</summary>
internal static class DevelopmentCertificate
{
    public static (string Certificate, string Key) FilesIn(string dataFolder) =>
        (Path.Combine(dataFolder, "tls", "server.crt"), Path.Combine(dataFolder, "tls", "server.key"));

    /// <param name="hosts">Further names or addresses that clients will call it by.</param>
    /// <exception cref="StartRefusedException">There is one already: it may be in use, and is not overwritten.</exception>
    public static void Create(string dataFolder, IEnumerable<string> hosts, DateTimeOffset now)
    {
        var (certificatePath, keyPath) = FilesIn(dataFolder);
        if (File.Exists(certificatePath) || File.Exists(keyPath))
            throw new StartRefusedException($"{certificatePath}: there is a certificate or a key already. Move both away first, or keep using them.");

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = SelfSigned(key, hosts, now);
        Directory.CreateDirectory(Path.GetDirectoryName(keyPath)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Write(keyPath, key.ExportPkcs8PrivateKeyPem());
        Write(certificatePath, certificate.ExportCertificatePem());
    }

    private static X509Certificate2 SelfSigned(ECDsa key, IEnumerable<string> hosts, DateTimeOffset now)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
            else names.AddDnsName(host);
        }

        var request = new CertificateRequest("CN=MfaGrpc development", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(TlsFiles.ServerAuthentication)], critical: false));
        // From a little earlier on: the clocks of clients differ.
        return request.CreateSelfSigned(now.AddMinutes(-5), now.AddYears(1));
    }

    private static void Write(string path, string pem)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using var file = new StreamWriter(path, System.Text.Encoding.ASCII, options);
        file.WriteLine(pem);
    }
}
