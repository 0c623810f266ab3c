using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Mfa.Server.Callers;

/// <summary>
/// The names that a certificate's authority vouches for: subjectAltName (RFC 5280 §4.2.1.6), never the common name, which anyone
/// may have asked for.
/// </summary>
internal static class CertificateNames
{
    public const string Accepted = "give dns: and a host name without a wildcard, or uri: and an absolute URI";

    private const string SubjectAltName = "2.5.29.17";
    private const int MaxLength = 512;

    /// <summary>More of them than a caller has any use for: the rest is not looked at.</summary>
    private const int Most = 32;

    private static readonly Asn1Tag Dns = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag Uri = new(TagClass.ContextSpecific, 6);

    /// <summary>The one spelling that a name is kept and compared in. Null when it is none.</summary>
    public static string? Normal(string text)
    {
        if (text.Length > MaxLength || text.AsSpan().ContainsAnyExceptInRange('!', '~')) return null;
        if (text.StartsWith("dns:", StringComparison.Ordinal))
        {
            var host = text["dns:".Length..];
            return System.Uri.CheckHostName(host) == UriHostNameType.Dns && !host.EndsWith('.') ? "dns:" + host.ToLowerInvariant() : null;
        }

        // Compared as it is written, as SPIFFE and RFC 3986 §6.2.1 allow: what is not the same text is another name.
        return text.StartsWith("uri:", StringComparison.Ordinal)
            && System.Uri.TryCreate(text["uri:".Length..], UriKind.Absolute, out _) ? text : null;
    }

    /// <returns>The names in that spelling; empty when there are none, or when the extension is broken.</returns>
    public static IReadOnlyList<string> Of(X509Certificate2 certificate)
    {
        if (certificate.Extensions[SubjectAltName] is not { } extension) return [];
        try
        {
            var names = new List<string>();
            var sequence = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (sequence.HasData && names.Count < Most)
            {
                var tag = sequence.PeekTag();
                var name = tag.HasSameClassAndValue(Dns) ? "dns:" + sequence.ReadCharacterString(UniversalTagNumber.IA5String, Dns)
                    : tag.HasSameClassAndValue(Uri) ? "uri:" + sequence.ReadCharacterString(UniversalTagNumber.IA5String, Uri)
                    : null;
                if (name is null) sequence.ReadEncodedValue();
                else if (Normal(name) is { } normal) names.Add(normal);
            }

            return names;
        }
        catch (AsnContentException)
        {
            return [];
        }
    }
}
