using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mfa.Server.Transport;

/// <summary>What the files of TLS hold: read whole, checked whole, and replaced whole.</summary>
/// <param name="Shown">The server's certificate and those that vouch for it.</param>
/// <param name="Clients">Who may vouch for callers; null when callers are not asked.</param>
/// <param name="Digest">Of all the files, to see that they changed.</param>
internal sealed record TlsFiles(SslStreamCertificateContext Shown, ClientAuthorities? Clients, string Digest)
{
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1"; // RFC 5280 §4.2.1.12, id-kp-serverAuth

    public DateTimeOffset End => new(Shown.TargetCertificate.NotAfter);

    /// <exception cref="StartRefusedException">A file is not as it must be; the line names the setting.</exception>
    public static TlsFiles Load(TlsOptions options, DateTimeOffset now)
    {
        var certificate = Read("tls:certificateFile", options.CertificateFile);
        SecretFile.Check("tls:keyFile", options.KeyFile);
        var key = Read("tls:keyFile", options.KeyFile);
        var authorities = options.ClientCaFile.Length == 0 ? null : Read("tls:clientCaFile", options.ClientCaFile);

        var shown = Pair(options, certificate, key);
        CheckUse("tls:certificateFile", options.CertificateFile, shown.TargetCertificate, now);
        return new TlsFiles(
            shown,
            authorities is null ? null : ClientAuthorities.From(options.ClientCaFile, authorities, now),
            DigestOf(certificate, key, authorities));
    }

    /// <summary>Of the files as they are now; null when one cannot be read.</summary>
    public static string? DigestNow(TlsOptions options)
    {
        try
        {
            return DigestOf(
                File.ReadAllText(options.CertificateFile),
                File.ReadAllText(options.KeyFile),
                options.ClientCaFile.Length == 0 ? null : File.ReadAllText(options.ClientCaFile));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <exception cref="StartRefusedException">It is not the time of this certificate.</exception>
    public static void CheckTime(string setting, string path, X509Certificate2 certificate, DateTimeOffset now)
    {
        var (start, end) = (new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter));
        if (now > end) throw new StartRefusedException($"Setting {setting}: the certificate in {path} expired on {end:u}. Renew it.");
        if (now < start) throw new StartRefusedException($"Setting {setting}: the certificate in {path} is not valid before {start:u}. Check the clock.");
    }

    /// <summary>All certificates of a PEM file; empty when it holds none that can be read.</summary>
    public static X509Certificate2Collection CertificatesIn(string pem)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            certificates.Clear(); // a file that is right in part is not right
        }

        return certificates;
    }

    private static SslStreamCertificateContext Pair(TlsOptions options, string certificate, string key)
    {
        var chain = CertificatesIn(certificate);
        if (chain.Count == 0) throw new StartRefusedException($"Setting tls:certificateFile: {options.CertificateFile} holds no certificate in PEM form.");
        X509Certificate2 own;
        try
        {
            own = X509Certificate2.CreateFromPem(certificate, key);
        }
        catch (Exception unfit) when (unfit is CryptographicException or ArgumentException)
        {
            throw new StartRefusedException($"Setting tls:keyFile: {options.KeyFile} does not hold the private key, in PEM form and without " +
                $"a passphrase, of the first certificate in {options.CertificateFile}.");
        }

        chain.RemoveAt(0);
        // Offline: nothing is fetched from addresses that certificates name.
        return SslStreamCertificateContext.Create(own, chain, offline: true);
    }

    private static void CheckUse(string setting, string path, X509Certificate2 certificate, DateTimeOffset now)
    {
        CheckTime(setting, path, certificate, now);
        var uses = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault();
        if (uses is not null && uses.EnhancedKeyUsages[ServerAuthentication] is null)
            throw new StartRefusedException($"Setting {setting}: the certificate in {path} is not one for servers (serverAuth); callers would refuse it.");
    }

    private static string Read(string setting, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"Setting {setting}: {path} cannot be read. It must be a PEM file that this user may read.");
        }
    }

    private static string DigestOf(params string?[] texts) =>
        string.Concat(texts.Select(text => Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text ?? "")))));
}
