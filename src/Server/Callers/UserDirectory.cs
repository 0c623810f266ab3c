using System.Data.Common;
using System.Text;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Callers;

/// <summary>A row of the directory's list.</summary>
internal sealed record UserInfo(string Name, string Email, string? Phone, DateTimeOffset CreateTime);

/// <summary>A stored password and the wrong ones in a row since the last right one.</summary>
internal sealed record StoredPassword(PasswordHash Hash, GuessBudget Guesses);

/// <summary>The built-in directory: people with a name, a password and an address, kept by an operator.</summary>
internal sealed class UserDirectory(IStore store, Sealer sealer, TimeProvider clock)
{
    /// <returns>False when the name is taken.</returns>
    public Task<bool> AddAsync(string name, EmailAddress email, string? phone, PasswordHash password)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var binding = Sealer.EmailBinding(KeyOf(name));
        var sealedEmail = sealer.Seal(Encoding.UTF8.GetBytes(email.Reveal()), binding);
        var sealedPhone = phone is null ? null : sealer.Seal(Encoding.UTF8.GetBytes(phone), binding);
        return store.WriteAsync(session =>
        {
            var command = session.Command("""
                INSERT INTO users (name, email, phone, password_key, password_rounds, password_salt, password_hash, create_time)
                VALUES (@name, @email, @phone, @key, @rounds, @salt, @hash, @now)
                ON CONFLICT DO NOTHING
                """);
            command.Bind("@name", name);
            command.Bind("@email", sealedEmail.Bytes);
            command.Bind("@phone", sealedPhone?.Bytes);
            Bind(command, password);
            command.Bind("@now", now);
            return command.ExecuteNonQuery() == 1 && Tell(session, $"users add {name}", name);
        });
    }

    public List<UserInfo> List() => store.Read(session =>
    {
        var command = session.Command("SELECT name, email, phone, create_time FROM users ORDER BY name");
        using var row = command.ExecuteReader();
        var users = new List<UserInfo>();
        while (row.Read())
        {
            var name = row.GetString(0);
            users.Add(new UserInfo(name, Open(name, row.GetFieldValue<byte[]>(1)),
                row.IsDBNull(2) ? null : Open(name, row.GetFieldValue<byte[]>(2)),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3))));
        }

        return users;
    });

    /// <returns>False when there is no such person.</returns>
    public Task<bool> SetPasswordAsync(string name, PasswordHash password) => store.WriteAsync(session =>
    {
        var command = session.Command("""
            UPDATE users SET password_key = @key, password_rounds = @rounds, password_salt = @salt, password_hash = @hash,
                password_failures = 0, password_locked_until = NULL
            WHERE name = @name
            """);
        command.Bind("@name", name);
        Bind(command, password);
        return command.ExecuteNonQuery() == 1 && Tell(session, $"users passwd {name}", name);
    });

    /// <summary>Takes effect at the next call. The second factor of the account stays; it is the operator's to reset.</summary>
    public Task<bool> RemoveAsync(string name) => store.WriteAsync(session =>
    {
        var command = session.Command("DELETE FROM users WHERE name = @name");
        command.Bind("@name", name);
        return command.ExecuteNonQuery() == 1 && Tell(session, $"users remove {name}", name);
    });

    public StoredPassword? FindPassword(string name) => store.Read(session => FindPassword(session, name));

    /// <summary>
    /// Counts a wrong password. When that locks the name, a token to switch the person's factor off is void as well: whoever
    /// holds it is guessing.
    /// </summary>
    public Task<bool> CountWrongPasswordAsync(string name, GuessPolicy policy, DateTimeOffset now) => store.WriteAsync(session =>
    {
        if (FindPassword(session, name) is not { } stored) return false;
        var poorer = stored.Guesses.AfterWrong(policy, now);
        SaveGuesses(session, name, poorer);
        if (!poorer.IsLocked(now)) return true;
        AccountRows.VoidDisableToken(session, KeyOf(name));
        session.Audit(new AuditEntry(now, AuditAct.Lock, AuditCaller.Server, KeyOf(name)).LockedOut(blocked: false) with { Detail = "password" });
        return true;
    });

    public Task<bool> ClearWrongPasswordsAsync(string name) => store.WriteAsync(session => SaveGuesses(session, name, default));

    private static StoredPassword? FindPassword(Session session, string name)
    {
        var command = session.Command("""
            SELECT password_key, password_rounds, password_salt, password_hash, password_failures, password_locked_until
            FROM users WHERE name = @name
            """);
        command.Bind("@name", name);
        using var row = command.ExecuteReader();
        if (!row.Read()) return null;
        var hash = new PasswordHash((uint)row.GetInt64(0), (int)row.GetInt64(1), row.GetFieldValue<byte[]>(2), row.GetFieldValue<byte[]>(3));
        DateTimeOffset? until = row.IsDBNull(5) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5));
        return new StoredPassword(hash, new GuessBudget((int)row.GetInt64(4), until));
    }

    private static bool SaveGuesses(Session session, string name, GuessBudget guesses)
    {
        var command = session.Command("UPDATE users SET password_failures = @failures, password_locked_until = @until WHERE name = @name");
        command.Bind("@name", name);
        command.Bind("@failures", guesses.Failures);
        command.Bind("@until", guesses.LockedUntil is { } until ? until.ToUnixTimeMilliseconds() : null);
        return command.ExecuteNonQuery() == 1;
    }

    /// <returns>The person's address; null when the person was removed meanwhile.</returns>
    public EmailAddress? FindEmail(string name) => store.Read(session =>
    {
        var command = session.Command("SELECT email FROM users WHERE name = @name");
        command.Bind("@name", name);
        return command.ExecuteScalar() is byte[] email ? EmailAddress.Parse(Open(name, email)) : null;
    });

    private string Open(string name, byte[] value) =>
        Encoding.UTF8.GetString(sealer.Open(new SealedBytes(value), Sealer.EmailBinding(KeyOf(name))));

    private bool Tell(Session session, string verb, string name)
    {
        session.Audit(Operator.Did(verb, clock.GetUtcNow(), KeyOf(name)));
        return true;
    }

    private static AccountKey KeyOf(string name) => new(Principal.DefaultTenant, name);

    private static void Bind(DbCommand command, PasswordHash password)
    {
        command.Bind("@key", (long)password.KeyId);
        command.Bind("@rounds", password.Rounds);
        command.Bind("@salt", password.Salt);
        command.Bind("@hash", password.Hash);
    }
}
