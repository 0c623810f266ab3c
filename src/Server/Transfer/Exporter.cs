using System.Text;
using System.Text.Json;
using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Transfer;

/// <param name="LeftOut">Accounts whose factor the format has no form for.</param>
internal readonly record struct Exported(long Accounts, long LeftOut);

/// <summary>Writes the factors in force of one tenant, open. Each account is as it is when its turn comes.</summary>
internal sealed class Exporter(IStore store, KeyRing ring, TimeProvider clock)
{
    public static readonly string[] Formats = ["jsonl", "otpauth"];

    private const int AccountsAtOnce = 500;

    private readonly Sealer _sealer = new(ring);

    /// <summary>The trail knows of it before the first secret is opened.</summary>
    public Task TellAsync(string tenant, string format) =>
        store.AuditAsync(Operator.Did($"export {format} with secrets", clock.GetUtcNow(), new AccountKey(tenant, "")));

    /// <param name="issuer">What apps show beside the account; only otpauth has a place for it.</param>
    public Exported Write(Stream file, string format, string tenant, string issuer, Action<long> tell, CancellationToken ct)
    {
        var (done, leftOut, last) = (0L, 0L, "");
        while (Page(tenant, last) is { Count: > 0 } page)
        {
            ct.ThrowIfCancellationRequested();
            foreach (var account in page.Select(name => store.Find(new AccountKey(tenant, name))))
            {
                if (account.InForce is not { } factor) continue; // switched off meanwhile
                if (WriteOne(file, format, account, factor, issuer)) done++;
                else leftOut++;
            }

            last = page[^1];
            tell(done);
        }

        return new Exported(done, leftOut);
    }

    private bool WriteOne(Stream file, string format, Account account, Enrollment factor, string issuer)
    {
        using var secret = factor.Secret is null ? null
            : _sealer.OpenSecret(factor.Secret, Sealer.SecretBinding(account.Key, factor.Id, factor.Method, factor.Totp));
        if (format == "otpauth")
        {
            if (secret is null) return false;
            file.Write(Encoding.UTF8.GetBytes(KeyUri.For(issuer, account.Key.Account, secret.Reveal(), factor.Totp)));
        }
        else
        {
            using var json = new Utf8JsonWriter(file);
            var email = factor.Email is { } e ? EmailAddress.Parse(Open(e, Sealer.EmailBinding(account.Key))) : null;
            var phone = factor.Phone is { } p ? PhoneNumber.FromStored(Open(p, Sealer.PhoneBinding(account.Key))) : null;
            OwnLines.Write(json, account, factor, secret, email, phone);
        }

        file.WriteByte((byte)'\n');
        return true;
    }

    private List<string> Page(string tenant, string after) => store.Read(session =>
    {
        var command = session.Command("""
            SELECT account FROM accounts WHERE tenant = @tenant AND account > @after AND f_id IS NOT NULL ORDER BY account LIMIT @most
            """);
        command.Bind("@tenant", tenant);
        command.Bind("@after", after);
        command.Bind("@most", AccountsAtOnce);
        using var row = command.ExecuteReader();
        var names = new List<string>();
        while (row.Read()) names.Add(row.GetString(0));
        return names;
    });

    private string Open(SealedBytes value, byte[] binding) => Encoding.UTF8.GetString(_sealer.Open(value, binding));
}
