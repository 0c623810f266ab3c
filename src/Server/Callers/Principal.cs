using System.Net;
using Mfa.Server.Domain;

namespace Mfa.Server.Callers;

/// <summary>What a caller may do. The numbers are stored: never renumber.</summary>
[Flags]
internal enum Scopes
{
    None = 0,
    Verify = 1,
    Enroll = 2,
    Disable = 4,
    Admin = 8,
}

internal static class ScopeNames
{
    public const string Accepted = "verify, enroll, disable, admin";

    /// <summary>Reads a comma-separated list. Null when it is empty or names something else.</summary>
    public static Scopes? Parse(string text)
    {
        var scopes = Scopes.None;
        foreach (var name in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (One(name) is not Scopes.None and var scope) scopes |= scope;
            else return null;
        }

        return scopes;
    }

    /// <returns>None for a name that is no scope.</returns>
    public static Scopes One(string name) => name switch
    {
        "verify" => Scopes.Verify,
        "enroll" => Scopes.Enroll,
        "disable" => Scopes.Disable,
        "admin" => Scopes.Admin,
        _ => Scopes.None,
    };

    public static string Print(Scopes scopes) => scopes.ToString().ToLowerInvariant().Replace(" ", "");
}

internal enum CallerKind
{
    /// <summary>A program; acts for any account of its tenant.</summary>
    Service,

    /// <summary>A human of the built-in directory; acts for the account of the same name alone.</summary>
    Person,
}

/// <summary>Who is calling, once proven.</summary>
/// <param name="Name">The name of the API key, the certificate or the person, or the token's subject.</param>
/// <param name="DisablePage">The service's own page for mailed links; null when it has named none.</param>
internal sealed record Principal(CallerKind Kind, string Tenant, string Name, Scopes Scopes, string? DisablePage = null)
{
    /// <summary>The tenant of people, and of keys that name no other.</summary>
    public const string DefaultTenant = "default";

    /// <summary>
    /// Who vouches for the name: each has names of its own, so that an issuer of tokens cannot speak for an API key. Remembered
    /// answers are kept by it.
    /// </summary>
    public string Origin { get; init; } = Kind.ToString().ToLowerInvariant();

    /// <summary>What the audit trail and remembered answers know the caller by: the same for every key of a name.</summary>
    public string Id => $"{Origin}:{Name}";

    /// <summary>The address of the connection the call came on, not known to be the caller's own; null when it has none.</summary>
    public IPAddress? Peer { get; init; }

    public AuditCaller Audited => new(Id, RefusedCallers.PeerOf(Peer));

    public static Principal Person(string name) =>
        new(CallerKind.Person, DefaultTenant, name, Scopes.Verify | Scopes.Enroll | Scopes.Disable);
}
