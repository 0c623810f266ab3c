using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mfa.Server.Transport;

/// <summary>Where the server listens, and whether in TLS. Plain text comes out of here on loopback alone.</summary>
internal sealed record ListenAddress(IPAddress Address, int Port, bool IsTls)
{
    /// <param name="option">The option that the operator wrote, for a refusal to name.</param>
    /// <exception cref="StartRefusedException">No address, or plain text beyond loopback, which shows credentials and codes to the network.</exception>
    public static ListenAddress Parse(string option, string text)
    {
        var parsed = TryParse(text)
            ?? throw new StartRefusedException($"{option} {text}: give an address such as https://0.0.0.0:7443 or, on loopback, http://127.0.0.1:7443.");
        if (!parsed.IsTls && !IPAddress.IsLoopback(parsed.Address))
        {
            throw new StartRefusedException($"{option} {text}: plain text is served on loopback only (127.0.0.1, [::1] or localhost), " +
                "because it shows credentials and codes to the network. Use https:// with tls:certificateFile and tls:keyFile.");
        }

        return parsed;
    }

    public void BindOn(KestrelServerOptions kestrel, Action<ListenOptions> configure)
    {
        // The framework's own "any" also works where there is no IPv6.
        if (Address.Equals(IPAddress.IPv6Any)) kestrel.ListenAnyIP(Port, configure);
        else kestrel.Listen(Address, Port, configure);
    }

    private static ListenAddress? TryParse(string text)
    {
        try
        {
            var binding = BindingAddress.Parse(text);
            var tls = binding.Scheme.Equals(Uri.UriSchemeHttps, StringComparison.OrdinalIgnoreCase);
            if (!tls && !binding.Scheme.Equals(Uri.UriSchemeHttp, StringComparison.OrdinalIgnoreCase)) return null;
            if (binding.PathBase.Length > 0 || binding.Port is < IPEndPoint.MinPort or > IPEndPoint.MaxPort) return null;
            return AddressOf(binding.Host) is { } address ? new ListenAddress(address, binding.Port, tls) : null;
        }
        catch (Exception unreadable) when (unreadable is FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>No other names: what a resolver answers may change after the check that it is loopback.</summary>
    private static IPAddress? AddressOf(string host) => host switch
    {
        "localhost" => IPAddress.Loopback,
        "*" => IPAddress.IPv6Any,
        _ => IPAddress.TryParse(host.Trim('[', ']'), out var address) ? address : null,
    };
}
