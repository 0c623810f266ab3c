using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Mfa.Server.Transport;

/// <summary>
/// On what terms the server speaks TLS. Every handshake takes the files as they were read last, so that a renewed certificate
/// serves new connections and leaves the open ones alone.
/// </summary>
internal sealed class TlsTerms(TlsOptions options, TlsFiles files)
{
    /// <summary>
    /// RFC 9325 §4.2, RFC 9113 §9.2.2: an exchange of keys for each connection alone, and authenticated encryption. The first
    /// three are all that TLS 1.3 has for general use.
    /// </summary>
    private static readonly CipherSuitesPolicy Suites = new(
    [
        TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ]);

    private TlsFiles _files = files;

    public TlsOptions Options => options;

    public TlsFiles Files
    {
        get => Volatile.Read(ref _files);
        set => Volatile.Write(ref _files, value);
    }

    /// <summary>The address of gRPC: HTTP/2 alone, and callers may show a certificate.</summary>
    public void ServeGrpcOn(ListenOptions listen, TimeSpan handshake) => Serve(listen, handshake, files =>
    {
        var terms = New(files, SslApplicationProtocol.Http2);
        files.Clients?.CheckIn(terms);
        return terms;
    });

    public void ServeWebOn(ListenOptions listen, TimeSpan handshake) => Serve(listen, handshake, files => New(files, SslApplicationProtocol.Http11));

    private void Serve(ListenOptions listen, TimeSpan handshake, Func<TlsFiles, SslServerAuthenticationOptions> terms) =>
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = handshake,
            OnConnection = _ => ValueTask.FromResult(terms(Files)),
        });

    private static SslServerAuthenticationOptions New(TlsFiles files, SslApplicationProtocol protocol) => new()
    {
        ServerCertificateContext = files.Shown,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        CipherSuitesPolicy = Suites,
        ApplicationProtocols = [protocol],
        AllowRenegotiation = false,
        AllowTlsResume = false, // a resumed session would skip the check of the caller's certificate
    };
}
