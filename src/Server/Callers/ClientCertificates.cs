using System.Data.Common;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mfa.Server.Domain;
using Mfa.Server.Store;

namespace Mfa.Server.Callers;

/// <summary>A row of the list: a name and the caller it stands for, or a certificate that is refused.</summary>
internal sealed record CertificateInfo(string San, Principal? Caller, DateTimeOffset CreateTime);

/// <summary>
/// Services that call with a client certificate. That it is of the right authority, for clients and in time was checked when the
/// connection was made; here it becomes a caller, at every call anew, so that a change takes effect on open connections.
/// </summary>
internal sealed class ClientCertificates(IStore store, TimeProvider clock)
{
    private const string Origin = "certificate";

    /// <summary>What a connection's certificate says, read once: it stays the same object for as long as the connection.</summary>
    private readonly ConditionalWeakTable<X509Certificate2, Seen> _seen = [];

    /// <returns>False when a name is taken, or when this caller is mapped with another tenant, other scopes or another page.</returns>
    public Task<bool> MapAsync(Principal caller, IReadOnlyList<string> sans)
    {
        var now = clock.GetUtcNow();
        return store.WriteAsync(session =>
        {
            var others = List(session).Where(row => row.Caller is not null).ToList();
            if (others.Any(row => row.Caller!.Name == caller.Name && row.Caller != caller)) return false;
            if (others.Any(row => sans.Contains(row.San))) return false;
            foreach (var san in sans) Add(session, san, caller, now);
            var verb = $"certificates map {caller.Name} --san {string.Join(' ', sans)} --scopes {ScopeNames.Print(caller.Scopes)}";
            session.Audit(Operator.Did(verb, now, new AccountKey(caller.Tenant, "")));
            return true;
        });
    }

    /// <summary>Newest last, those that are refused after them.</summary>
    public List<CertificateInfo> List() => store.Read(session => (List<CertificateInfo>)[.. List(session), .. ListRevoked(session)]);

    /// <param name="san">One name of the caller; null for all.</param>
    /// <returns>How many were mapped and are not any more.</returns>
    public Task<int> UnmapAsync(string name, string? san) => store.WriteAsync(session =>
    {
        var command = session.Command("DELETE FROM certificate_names WHERE name = @name AND (@san IS NULL OR san = @san)");
        command.Bind("@name", name);
        command.Bind("@san", san);
        var unmapped = command.ExecuteNonQuery();
        if (unmapped > 0) session.Audit(Operator.Did(san is null ? $"certificates unmap {name}" : $"certificates unmap {name} --san {san}", clock.GetUtcNow()));
        return unmapped;
    });

    /// <summary>Refuses one certificate for good, whatever its names: the way to stop a stolen one beside its successor.</summary>
    public Task<int> RevokeAsync(byte[] fingerprint)
    {
        var now = clock.GetUtcNow();
        return store.WriteAsync(session =>
        {
            var command = session.Command("""
                INSERT INTO revoked_certificates (fingerprint, revoke_time) VALUES (@fingerprint, @now) ON CONFLICT DO NOTHING
                """);
            command.Bind("@fingerprint", fingerprint);
            command.Bind("@now", now.ToUnixTimeMilliseconds());
            var revoked = command.ExecuteNonQuery();
            if (revoked > 0) session.Audit(Operator.Did($"certificates revoke {Convert.ToHexStringLower(fingerprint)}", now));
            return revoked;
        });
    }

    /// <returns>Null unless all mapped names of the certificate stand for the same caller.</returns>
    public Principal? Authenticate(X509Certificate2 certificate)
    {
        var seen = _seen.GetValue(certificate, Seen.Of);
        var now = clock.GetUtcNow();
        if (now < seen.NotBefore || now >= seen.NotAfter) return null; // it can run out while its connection is open
        return store.Read(session =>
        {
            if (IsRevoked(session, seen.Fingerprint)) return null;
            var callers = seen.Names.Select(name => Find(session, name)).OfType<Principal>().Distinct().Take(2).ToArray();
            return callers.Length == 1 ? callers[0] : null;
        });
    }

    private static void Add(Session session, string san, Principal caller, DateTimeOffset now)
    {
        var command = session.Command("""
            INSERT INTO certificate_names (san, tenant, name, scopes, disable_page, create_time)
            VALUES (@san, @tenant, @name, @scopes, @page, @now)
            """);
        command.Bind("@san", san);
        command.Bind("@tenant", caller.Tenant);
        command.Bind("@name", caller.Name);
        command.Bind("@scopes", (int)caller.Scopes);
        command.Bind("@page", caller.DisablePage);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        command.ExecuteNonQuery();
    }

    private static Principal? Find(Session session, string san)
    {
        var command = session.Command("SELECT tenant, name, scopes, disable_page FROM certificate_names WHERE san = @san");
        command.Bind("@san", san);
        using var row = command.ExecuteReader();
        return row.Read() ? PrincipalOf(row) : null;
    }

    private static bool IsRevoked(Session session, byte[] fingerprint)
    {
        var command = session.Command("SELECT 1 FROM revoked_certificates WHERE fingerprint = @fingerprint");
        command.Bind("@fingerprint", fingerprint);
        return command.ExecuteScalar() is not null;
    }

    private static List<CertificateInfo> List(Session session)
    {
        var command = session.Command("""
            SELECT tenant, name, scopes, disable_page, san, create_time FROM certificate_names ORDER BY create_time, name, san
            """);
        using var row = command.ExecuteReader();
        var rows = new List<CertificateInfo>();
        while (row.Read())
            rows.Add(new CertificateInfo(row.GetString(4), PrincipalOf(row), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5))));
        return rows;
    }

    private static List<CertificateInfo> ListRevoked(Session session)
    {
        var command = session.Command("SELECT fingerprint, revoke_time FROM revoked_certificates ORDER BY revoke_time");
        using var row = command.ExecuteReader();
        var rows = new List<CertificateInfo>();
        while (row.Read())
        {
            rows.Add(new CertificateInfo("sha256:" + Convert.ToHexStringLower(row.GetFieldValue<byte[]>(0)), Caller: null,
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1))));
        }

        return rows;
    }

    private static Principal PrincipalOf(DbDataReader row) => NewCaller(
        row.GetString(1), row.GetString(0), (Scopes)row.GetInt64(2), row.IsDBNull(3) ? null : row.GetString(3));

    public static Principal NewCaller(string name, string tenant, Scopes scopes, string? disablePage) =>
        new(CallerKind.Service, tenant, name, scopes, disablePage) { Origin = Origin };

    private sealed record Seen(IReadOnlyList<string> Names, byte[] Fingerprint, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
    {
        public static Seen Of(X509Certificate2 certificate) => new(
            CertificateNames.Of(certificate), certificate.GetCertHash(HashAlgorithmName.SHA256),
            new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter));
    }
}
