namespace Mfa.Server.Transport;

/// <summary>The files of TLS, all PEM. They are read again when they change.</summary>
internal sealed record TlsOptions
{
    /// <summary>Set through <c>tls:certificateFile</c>: the server's certificate, then those that vouch for it. Default: the one that `init --tls` made.</summary>
    public string CertificateFile { get; init; } = "";

    /// <summary>Set through <c>tls:keyFile</c>: its private key, without a passphrase.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>Set through <c>tls:clientCaFile</c>: the only authorities that may vouch for callers. Default: none, and no caller is asked for a certificate.</summary>
    public string ClientCaFile { get; init; } = "";

    /// <summary>What remains to be read once it is known who listens: null when everything is plain text.</summary>
    /// <param name="dataFolder">Where `init --tls` left a certificate for a server that was given none.</param>
    /// <exception cref="StartRefusedException">Something was configured by half.</exception>
    public TlsOptions? For(ListenAddress grpc, ListenAddress web, string dataFolder)
    {
        if (CertificateFile.Length > 0 && KeyFile.Length == 0)
            throw new StartRefusedException("Setting tls:keyFile is missing: tls:certificateFile needs the private key of its certificate.");
        if (KeyFile.Length > 0 && CertificateFile.Length == 0)
            throw new StartRefusedException("Setting tls:certificateFile is missing: tls:keyFile needs the certificate of its key.");
        if (ClientCaFile.Length > 0 && !grpc.IsTls)
            throw new StartRefusedException("Setting tls:clientCaFile: callers show certificates in TLS only. Use --listen https://…");
        if (!grpc.IsTls && !web.IsTls)
        {
            return CertificateFile.Length == 0 ? null
                : throw new StartRefusedException("Setting tls:certificateFile: no address uses TLS. Use --listen https://… (and --web https://…).");
        }

        if (CertificateFile.Length > 0) return this;
        var (certificate, key) = DevelopmentCertificate.FilesIn(dataFolder);
        if (File.Exists(certificate) && File.Exists(key)) return this with { CertificateFile = certificate, KeyFile = key };
        throw new StartRefusedException($"{(grpc.IsTls ? "--listen" : "--web")} https://…: there is no certificate. Set tls:certificateFile and tls:keyFile, " +
            $"or make one for development: mfa-server init --tls --data {dataFolder}");
    }
}
