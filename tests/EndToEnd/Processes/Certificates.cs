using System.Security.Cryptography.X509Certificates;

namespace Mfa.EndToEnd.Processes;

/// <summary>A server's certificate with its key and what it sends along, and the authority that callers are told to trust. All PEM.</summary>
internal sealed record Certificates(string Chain, string Key, string Trusted)
{
    /// <summary>Vouched for by the trusted authority itself.</summary>
    public static Certificates For(string host, string purpose = Authority.ForServers, int daysLeft = 10)
    {
        using var root = Authority.New("root");
        return root.Issue(host, purpose, daysLeft);
    }

    /// <summary>Vouched for by an authority that the trusted one vouches for, and whose certificate the server sends.</summary>
    public static Certificates WithIntermediate(string host)
    {
        using var root = Authority.New("root");
        using var between = Authority.New("intermediate", root);
        var issued = between.Issue(host);
        return new Certificates(issued.Chain + "\n" + between.Pem, issued.Key, root.Pem);
    }

    public static Certificates ForOtherUse(string host) => For(host, Authority.ForClients);

    public static Certificates Expired(string host) => For(host, daysLeft: -1);

    /// <summary>Of an authority with the trusted one's name and another key.</summary>
    public static Certificates OfAnotherAuthority(string host) => For(host) with { Trusted = For(host).Trusted };

    /// <summary>The certificate with its key, to show to the other side.</summary>
    public X509Certificate2 Open() => X509Certificate2.CreateFromPem(Chain, Key);
}
