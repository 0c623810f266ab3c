using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>People of the built-in directory: addresses and passwords.</summary>
internal sealed class UserResealing(IStore store, KeyRing ring) : IResealing
{
    private readonly Sealer _sealer = new(ring);
    private readonly PasswordHasher _passwords = new(ring);
    private string _last = "";

    public long Left() => store.Read(session =>
    {
        var command = session.Command($"SELECT count(*) FROM users WHERE {NotActive}");
        command.BindActive(ring);
        return (long)command.ExecuteScalar()!;
    });

    public IReadOnlyList<ResealedRow> Next(int most)
    {
        var page = store.Read(session =>
        {
            var command = session.Command($"""
                SELECT name, email, phone, password_key, password_rounds, password_salt, password_hash FROM users
                WHERE name > @name AND ({NotActive}) ORDER BY name LIMIT @most
                """);
            command.BindActive(ring);
            command.Bind("@name", _last);
            command.Bind("@most", most);
            using var row = command.ExecuteReader();
            var people = new List<Protected>();
            while (row.Read())
            {
                people.Add(new Protected(row.GetString(0), new SealedBytes(row.GetFieldValue<byte[]>(1)),
                    row.IsDBNull(2) ? null : new SealedBytes(row.GetFieldValue<byte[]>(2)),
                    new PasswordHash((uint)row.GetInt64(3), (int)row.GetInt64(4), row.GetFieldValue<byte[]>(5), row.GetFieldValue<byte[]>(6))));
            }

            return people;
        });
        if (page.Count > 0) _last = page[^1].Name;
        return [.. page.Select(person => ResealedRow.Of($"person {person.Name}", () => Reseal(person)))];
    }

    private Func<Session, bool> Reseal(Protected old)
    {
        var binding = Sealer.EmailBinding(new AccountKey(Principal.DefaultTenant, old.Name)); // for both, see UserDirectory
        var email = _sealer.Reseal(old.Email, binding);
        var phone = old.Phone is null ? null : _sealer.Reseal(old.Phone, binding);
        var password = _passwords.CarryOver(old.Name, old.Password);
        return session =>
        {
            var command = session.Command("""
                UPDATE users SET email = @email, phone = @phone, password_key = @key, password_hash = @hash
                WHERE name = @name AND email = @old_email AND phone IS NOT DISTINCT FROM @old_phone AND password_hash = @old_hash
                """);
            command.Bind("@name", old.Name);
            command.Bind("@email", email.Bytes);
            command.Bind("@phone", phone?.Bytes);
            command.Bind("@key", (long)password.KeyId);
            command.Bind("@hash", password.Hash);
            command.Bind("@old_email", old.Email.Bytes);
            command.Bind("@old_phone", old.Phone?.Bytes);
            command.Bind("@old_hash", old.Password.Hash);
            return command.ExecuteNonQuery() == 1;
        };
    }

    private const string NotActive = "substr(email, 2, 4) <> @header OR substr(phone, 2, 4) <> @header OR password_key <> @id";

    private sealed record Protected(string Name, SealedBytes Email, SealedBytes? Phone, PasswordHash Password);
}
