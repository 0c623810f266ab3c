using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mfa.Client;

/// <summary>A certificate that this client shows, with its key: the credential of a service that uses mutual TLS.</summary>
internal sealed class ClientCertificate
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private ClientCertificate(string file, SslStreamCertificateContext context) => (File, Context) = (file, context);

    public string File { get; }

    /// <summary>The certificate, and those of its file that lead from it to the authority.</summary>
    public SslStreamCertificateContext Context { get; }

    /// <param name="certFile">PEM; the client's own certificate first.</param>
    /// <param name="keyFile">PEM, not encrypted, and for its owner alone, as ssh has it.</param>
    public static ClientCertificate Load(string certFile, string keyFile)
    {
        var (chain, key) = (Read(certFile), Read(keyFile));
        if (!OperatingSystem.IsWindows() && (System.IO.File.GetUnixFileMode(keyFile) & Others) != UnixFileMode.None)
            throw FailedException.Usage($"Others may use the private key {keyFile}. Run: chmod 600 {keyFile}");
        try
        {
            using var own = X509Certificate2.CreateFromPem(chain, key);
            var sentAlong = new X509Certificate2Collection();
            sentAlong.ImportFromPem(chain);
            sentAlong.RemoveAt(0);
            // Through PKCS #12: Windows shows no certificate whose key lives in memory alone.
            var whole = X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), password: null);
            return new(certFile, SslStreamCertificateContext.Create(whole, sentAlong, offline: true));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw FailedException.Usage(
                $"{certFile} and {keyFile} are not a certificate and its private key, both PEM and the key not encrypted.");
        }
    }

    private static string Read(string path)
    {
        try
        {
            return System.IO.File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw FailedException.Usage($"Cannot read {path}: {e.Message}");
        }
    }
}
