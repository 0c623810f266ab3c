using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mfa.Server.Transport;

/// <summary>The two addresses of a server, and the TLS of those that speak it.</summary>
internal sealed record Listeners(ListenAddress Grpc, ListenAddress Pages, TlsTerms? Tls)
{
    /// <exception cref="StartRefusedException">TLS is configured by half, or its files are not as they must be.</exception>
    public static Listeners Open(ListenAddress grpc, ListenAddress web, TlsOptions options, string dataFolder, DateTimeOffset now) =>
        new(grpc, web, options.For(grpc, web, dataFolder) is { } files ? new TlsTerms(files, TlsFiles.Load(files, now)) : null);

    /// <exception cref="StartRefusedException">Others than this machine could connect.</exception>
    public void RefuseDevelopmentBeyondLoopback()
    {
        if (new[] { Grpc, Pages }.All(address => IPAddress.IsLoopback(address.Address))) return;
        throw new StartRefusedException("--dev: a development server writes codes to a folder and has a key with every scope, so it listens on loopback only. " +
            "Leave out --dev, or choose --listen and --web on 127.0.0.1.");
    }

    /// <param name="markAsWeb">Tells the connections of the web address from those of gRPC.</param>
    public void BindOn(KestrelServerOptions kestrel, LimitOptions limits, Action<ListenOptions> markAsWeb)
    {
        limits.SetOn(kestrel.Limits);
        Grpc.BindOn(kestrel, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(NewLimits().Before);
            if (Grpc.IsTls) Tls!.ServeGrpcOn(listen, limits.Handshake);
        });
        Pages.BindOn(kestrel, listen =>
        {
            markAsWeb(listen);
            listen.Use(NewLimits().Before);
            if (Pages.IsTls) Tls!.ServeWebOn(listen, limits.Handshake);
        });

        ConnectionLimits NewLimits() => ActivatorUtilities.CreateInstance<ConnectionLimits>(kestrel.ApplicationServices, limits);
    }
}
