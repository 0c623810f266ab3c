using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mfa.Client;

/// <summary>Whether the server is the one that was asked for. The platform checks its certificate; this says by whose
/// authority, and remembers in words why one was refused.</summary>
internal sealed class ServerCheck
{
    private const int NamesTold = 5;

    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1"); // RFC 5280 §4.2.1.12

    private readonly bool _skip;

    private ServerCheck(X509ChainPolicy? policy, bool skip) => (Policy, _skip) = (policy, skip);

    /// <summary>Null: the authorities of the system.</summary>
    public X509ChainPolicy? Policy { get; }

    /// <summary>What was wrong with the certificate, and what to do; null while none was refused.</summary>
    public string? Refusal { get; private set; }

    public static ServerCheck For(TlsSettings tls, Uri endpoint)
    {
        if (tls is { SkipVerify: true, CaFile: not null })
            throw FailedException.Usage("--cacert and --insecure-skip-verify contradict each other: give one.");
        if (endpoint.Scheme != "https" && (tls.SkipVerify || tls.CaFile is not null))
        {
            throw FailedException.Usage(
                $"{(tls.SkipVerify ? "--insecure-skip-verify" : "--cacert")} is for https; {endpoint.GetLeftPart(UriPartial.Authority)} has no certificate.");
        }
        return new(tls.SkipVerify ? null : OwnRoots(tls.CaFile), tls.SkipVerify);
    }

    public bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (_skip || errors == SslPolicyErrors.None) return true;
        Refusal = string.Join(' ', Reasons(certificate as X509Certificate2, chain, errors));
        return false;
    }

    private static X509ChainPolicy? OwnRoots(string? file)
    {
        // A variable serves many runs, also those on loopback without TLS; an option is meant for this one.
        file ??= Settings.Environment("MFA_CACERT");
        if (file is null) return null;
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, // these alone: not one of the system's besides
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true, // from wherever a stranger's certificate says
        };
        policy.ApplicationPolicy.Add(ServerAuthentication);
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            throw FailedException.Usage($"Cannot read the certificate authorities {file}: {e.Message}");
        }
        if (policy.CustomTrustStore.Count == 0) throw FailedException.Usage($"There is no PEM certificate in {file}.");
        return policy;
    }

    private static IEnumerable<string> Reasons(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
        {
            yield return "It showed none.";
            yield break;
        }
        var faults = chain?.ChainElements.SelectMany(element => element.ChainElementStatus).Select(status => status.Status).ToHashSet() ?? [];
        if (faults.Remove(X509ChainStatusFlags.NotTimeValid)) yield return Lifetime(certificate);
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            yield return $"It is for another name ({Names(certificate)}): use the right one in --endpoint.";
        if (faults.Remove(X509ChainStatusFlags.NotValidForUsage)) yield return "It is not meant for servers: the server needs another one.";
        faults.Remove(X509ChainStatusFlags.OfflineRevocation);
        faults.Remove(X509ChainStatusFlags.RevocationStatusUnknown);
        if (faults.Count > 0) yield return "Its authority is unknown: if it is your own, give its certificate with --cacert FILE.";
    }

    private static string Lifetime(X509Certificate2 certificate)
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var (from, until) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        var what = now > until ? $"It expired on {until:yyyy-MM-dd}"
            : now < from ? $"It is not valid before {from:yyyy-MM-dd}"
            : "A certificate of its authority is not valid now";
        return $"{what}: have it renewed, and look at this machine's clock.";
    }

    private static string Names(X509Certificate2 certificate)
    {
        var alternatives = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().ToArray();
        var names = alternatives.SelectMany(a => a.EnumerateDnsNames())
            .Concat(alternatives.SelectMany(a => a.EnumerateIPAddresses()).Select(address => address.ToString()))
            .Take(NamesTold).ToArray();
        return names.Length > 0 ? string.Join(", ", names) : "it names none";
    }
}
