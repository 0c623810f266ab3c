using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>
/// Accounts. Each is saved as any decision on it is, conditional on the version it was loaded with: a verification at the same
/// time either comes first, and the row waits for the next round, or comes second and decides again on what was saved here.
/// </summary>
internal sealed class AccountResealing(IStore store, KeyRing ring) : IResealing
{
    private readonly Sealer _sealer = new(ring);
    private readonly RecoveryHashes _recoveryHashes = new(ring);
    private readonly SentCodeHashes _sentCodes = new(ring);
    private AccountKey _last = new("", "");

    public long Left() => store.Read(session =>
    {
        var command = session.Command($"SELECT count(*) FROM accounts WHERE {NotActive}");
        command.BindActive(ring);
        return (long)command.ExecuteScalar()!;
    });

    public IReadOnlyList<ResealedRow> Next(int most)
    {
        var page = store.Read(session =>
        {
            var command = session.Command($"""
                SELECT tenant, account FROM accounts
                WHERE (tenant, account) > (@tenant, @account) AND ({NotActive})
                ORDER BY tenant, account LIMIT @most
                """);
            command.BindActive(ring);
            command.Bind("@tenant", _last.Tenant);
            command.Bind("@account", _last.Account);
            command.Bind("@most", most);
            using var row = command.ExecuteReader();
            var keys = new List<AccountKey>();
            while (row.Read()) keys.Add(new AccountKey(row.GetString(0), row.GetString(1)));
            return keys;
        });
        if (page.Count > 0) _last = page[^1];
        return [.. page.Select(key => ResealedRow.Of($"account {key.Tenant}/{key.Account}", () => Reseal(key)))];
    }

    private Func<Session, bool> Reseal(AccountKey key)
    {
        var account = store.Find(key);
        var next = account with { InForce = Resealed(key, account.InForce), Pending = Resealed(key, account.Pending) };
        return session => account.Version > 0 && store.Save(session, account, next);
    }

    private Enrollment? Resealed(AccountKey key, Enrollment? enrollment) => enrollment is null ? null : enrollment with
    {
        Secret = Resealed(enrollment.Secret, Sealer.SecretBinding(key, enrollment.Id, enrollment.Method, enrollment.Totp)),
        Email = Resealed(enrollment.Email, Sealer.EmailBinding(key)),
        Phone = Resealed(enrollment.Phone, Sealer.PhoneBinding(key)),
        Recovery = _recoveryHashes.CarryOver(key, enrollment.Recovery),
        OpenCode = enrollment.OpenCode is { } open ? _sentCodes.CarryOver(key, enrollment.Id, open) : null,
    };

    private SealedBytes? Resealed(SealedBytes? value, byte[] binding) => value is null ? null : _sealer.Reseal(value, binding);

    private const string NotActive = """
        substr(f_secret, 2, 4) <> @header OR substr(f_email, 2, 4) <> @header OR substr(f_phone, 2, 4) <> @header
        OR substr(p_secret, 2, 4) <> @header OR substr(p_email, 2, 4) <> @header OR substr(p_phone, 2, 4) <> @header
        OR f_recovery_key <> @id OR p_recovery_key <> @id OR f_code_key <> @id OR p_code_key <> @id
        """;
}
