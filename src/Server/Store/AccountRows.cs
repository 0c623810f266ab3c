using System.Security.Cryptography;
using Mfa.Server.Domain;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store;

/// <summary>The accounts table, as statements on a connection.</summary>
internal static class AccountRows
{
    /// <returns>The account as last saved; one that was never saved comes back empty, with version 0.</returns>
    public static Account Find(Session session, AccountKey key)
    {
        var command = (SqliteCommand)session.Command("""
            SELECT
                version, enable_time, disable_time, factor_failures, factor_locked_until, enrollment_failures,
                enrollment_locked_until, recovery_failures, recovery_locked_until, p_expire_time, d_hash,
                d_enrollment, d_expire,
                f_id, f_method, f_algorithm, f_digits, f_period, f_secret, f_last_step, f_recovery_id,
                f_recovery_key, f_recovery_hashes, f_recovery_used, f_email, f_phone, f_locale, f_code_id,
                f_code_key, f_code_hash, f_code_expire, f_code_tries, f_recovery_stale, f_spent_from, f_spent_to,
                p_id, p_method, p_algorithm, p_digits, p_period, p_secret, p_last_step, p_recovery_id,
                p_recovery_key, p_recovery_hashes, p_recovery_used, p_email, p_phone, p_locale, p_code_id,
                p_code_key, p_code_hash, p_code_expire, p_code_tries, p_recovery_stale, p_spent_from, p_spent_to
            FROM accounts WHERE tenant = @tenant AND account = @account
            """);
        command.Parameters.AddWithValue("@tenant", key.Tenant);
        command.Parameters.AddWithValue("@account", key.Account);
        using var row = command.ExecuteReader();
        if (!row.Read()) return new Account(key);
        return new Account(key)
        {
            Version = row.GetInt64(0),
            EnableTime = TimeAt(row, 1),
            DisableTime = TimeAt(row, 2),
            FactorGuesses = new GuessBudget(row.GetInt32(3), TimeAt(row, 4)),
            EnrollmentGuesses = new GuessBudget(row.GetInt32(5), TimeAt(row, 6)),
            RecoveryGuesses = new GuessBudget(row.GetInt32(7), TimeAt(row, 8)),
            PendingExpireTime = TimeAt(row, 9),
            DisableToken = row.IsDBNull(10) ? null : new DisableToken(BytesAt(row, 10), new Guid(BytesAt(row, 11)), TimeAt(row, 12)!.Value),
            InForce = EnrollmentAt(row, 13),
            Pending = EnrollmentAt(row, 35),
        };
    }

    /// <summary>
    /// Saves the account if it is still the one that was decided on. This condition is the one guard that makes a code count
    /// once: of any number of decisions on the same version, one is saved.
    /// </summary>
    /// <returns>False when somebody else saved it first; nothing was changed then.</returns>
    public static bool Save(Session session, Account account)
    {
        var command = (SqliteCommand)session.Command(account.Version == 0 ? Insert : Update);
        command.Parameters.AddWithValue("@tenant", account.Key.Tenant);
        command.Parameters.AddWithValue("@account", account.Key.Account);
        command.Parameters.AddWithValue("@version", account.Version);
        command.Parameters.AddWithValue("@next_version", NextVersion(account));
        command.Parameters.AddWithValue("@enable_time", Value(account.EnableTime));
        command.Parameters.AddWithValue("@disable_time", Value(account.DisableTime));
        command.Parameters.AddWithValue("@factor_failures", account.FactorGuesses.Failures);
        command.Parameters.AddWithValue("@factor_locked_until", Value(account.FactorGuesses.LockedUntil));
        command.Parameters.AddWithValue("@enrollment_failures", account.EnrollmentGuesses.Failures);
        command.Parameters.AddWithValue("@enrollment_locked_until", Value(account.EnrollmentGuesses.LockedUntil));
        command.Parameters.AddWithValue("@recovery_failures", account.RecoveryGuesses.Failures);
        command.Parameters.AddWithValue("@recovery_locked_until", Value(account.RecoveryGuesses.LockedUntil));
        command.Parameters.AddWithValue("@p_expire_time", Value(account.PendingExpireTime));
        command.Parameters.AddWithValue("@d_hash", account.DisableToken?.Hash ?? (object)DBNull.Value);
        command.Parameters.AddWithValue("@d_enrollment", account.DisableToken?.EnrollmentId.ToByteArray() ?? (object)DBNull.Value);
        command.Parameters.AddWithValue("@d_expire", Value(account.DisableToken?.ExpireTime));
        Bind(command, "@f", account.InForce);
        Bind(command, "@p", account.Pending);
        return command.ExecuteNonQuery() == 1;
    }

    /// <summary>Takes back the token that may switch the factor off.</summary>
    public static int VoidDisableToken(Session session, AccountKey key)
    {
        var command = session.Command("""
            UPDATE accounts SET version = version + 1, d_hash = NULL, d_enrollment = NULL, d_expire = NULL
            WHERE tenant = @tenant AND account = @account AND d_hash IS NOT NULL
            """);
        command.Bind("@tenant", key.Tenant);
        command.Bind("@account", key.Account);
        return command.ExecuteNonQuery();
    }

    /// <summary>Removes enrollments that nobody proved in time, and accounts that consisted of nothing else.</summary>
    public static int RemoveExpiredEnrollments(Session session, DateTimeOffset now)
    {
        // Guesses outlive the enrollment they were made at: a row that counts some stays.
        var command = session.Command("""
            DELETE FROM accounts WHERE p_expire_time <= @now AND f_id IS NULL AND disable_time IS NULL AND enrollment_failures = 0;
            UPDATE accounts SET version = version + 1, p_expire_time = NULL,
                p_id = NULL, p_method = NULL, p_algorithm = NULL, p_digits = NULL, p_period = NULL, p_secret = NULL,
                p_last_step = NULL, p_recovery_id = NULL, p_recovery_key = NULL, p_recovery_hashes = NULL,
                p_recovery_used = NULL, p_email = NULL, p_phone = NULL, p_locale = NULL, p_code_id = NULL,
                p_code_key = NULL, p_code_hash = NULL, p_code_expire = NULL, p_code_tries = NULL,
                p_recovery_stale = NULL, p_spent_from = NULL, p_spent_to = NULL
            WHERE p_expire_time <= @now;
            """);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery();
    }

    private const string Insert = """
        INSERT INTO accounts (
            tenant, account, version, enable_time, disable_time, factor_failures, factor_locked_until,
            enrollment_failures, enrollment_locked_until, recovery_failures, recovery_locked_until, p_expire_time,
            d_hash, d_enrollment, d_expire,
            f_id, f_method, f_algorithm, f_digits, f_period, f_secret, f_last_step, f_recovery_id, f_recovery_key,
            f_recovery_hashes, f_recovery_used, f_email, f_phone, f_locale, f_code_id, f_code_key, f_code_hash,
            f_code_expire, f_code_tries, f_recovery_stale, f_spent_from, f_spent_to,
            p_id, p_method, p_algorithm, p_digits, p_period, p_secret, p_last_step, p_recovery_id, p_recovery_key,
            p_recovery_hashes, p_recovery_used, p_email, p_phone, p_locale, p_code_id, p_code_key, p_code_hash,
            p_code_expire, p_code_tries, p_recovery_stale, p_spent_from, p_spent_to)
        VALUES (
            @tenant, @account, @next_version, @enable_time, @disable_time, @factor_failures, @factor_locked_until,
            @enrollment_failures, @enrollment_locked_until, @recovery_failures, @recovery_locked_until,
            @p_expire_time, @d_hash, @d_enrollment, @d_expire,
            @f_id, @f_method, @f_algorithm, @f_digits, @f_period, @f_secret, @f_last_step, @f_recovery_id,
            @f_recovery_key, @f_recovery_hashes, @f_recovery_used, @f_email, @f_phone, @f_locale, @f_code_id,
            @f_code_key, @f_code_hash, @f_code_expire, @f_code_tries, @f_recovery_stale, @f_spent_from, @f_spent_to,
            @p_id, @p_method, @p_algorithm, @p_digits, @p_period, @p_secret, @p_last_step, @p_recovery_id,
            @p_recovery_key, @p_recovery_hashes, @p_recovery_used, @p_email, @p_phone, @p_locale, @p_code_id,
            @p_code_key, @p_code_hash, @p_code_expire, @p_code_tries, @p_recovery_stale, @p_spent_from, @p_spent_to)
        ON CONFLICT DO NOTHING
        """;

    private const string Update = """
        UPDATE accounts SET
            version = @next_version, enable_time = @enable_time, disable_time = @disable_time,
            factor_failures = @factor_failures, factor_locked_until = @factor_locked_until,
            enrollment_failures = @enrollment_failures, enrollment_locked_until = @enrollment_locked_until,
            recovery_failures = @recovery_failures, recovery_locked_until = @recovery_locked_until,
            p_expire_time = @p_expire_time, d_hash = @d_hash, d_enrollment = @d_enrollment, d_expire = @d_expire,
            f_id = @f_id, f_method = @f_method, f_algorithm = @f_algorithm, f_digits = @f_digits,
            f_period = @f_period, f_secret = @f_secret, f_last_step = @f_last_step, f_recovery_id = @f_recovery_id,
            f_recovery_key = @f_recovery_key, f_recovery_hashes = @f_recovery_hashes,
            f_recovery_used = @f_recovery_used, f_email = @f_email, f_phone = @f_phone, f_locale = @f_locale,
            f_code_id = @f_code_id, f_code_key = @f_code_key, f_code_hash = @f_code_hash,
            f_code_expire = @f_code_expire, f_code_tries = @f_code_tries,
            f_recovery_stale = @f_recovery_stale, f_spent_from = @f_spent_from, f_spent_to = @f_spent_to,
            p_id = @p_id, p_method = @p_method, p_algorithm = @p_algorithm, p_digits = @p_digits,
            p_period = @p_period, p_secret = @p_secret, p_last_step = @p_last_step, p_recovery_id = @p_recovery_id,
            p_recovery_key = @p_recovery_key, p_recovery_hashes = @p_recovery_hashes,
            p_recovery_used = @p_recovery_used, p_email = @p_email, p_phone = @p_phone, p_locale = @p_locale,
            p_code_id = @p_code_id, p_code_key = @p_code_key, p_code_hash = @p_code_hash,
            p_code_expire = @p_code_expire, p_code_tries = @p_code_tries,
            p_recovery_stale = @p_recovery_stale, p_spent_from = @p_spent_from, p_spent_to = @p_spent_to
        WHERE tenant = @tenant AND account = @account AND version = @version
        """;

    /// <summary>
    /// A new row starts at a random version: were it always 1, a decision made on a row that was removed meanwhile could be
    /// saved over the row that took its place.
    /// </summary>
    private static long NextVersion(Account account) =>
        account.Version == 0 ? 1L + RandomNumberGenerator.GetInt32(int.MaxValue) : account.Version + 1;

    private static void Bind(SqliteCommand command, string slot, Enrollment? enrollment)
    {
        void Add(string column, object? value) => command.Parameters.AddWithValue($"{slot}_{column}", value ?? DBNull.Value);

        Add("id", enrollment?.Id.ToByteArray());
        Add("method", (int?)enrollment?.Method);
        Add("algorithm", (int?)enrollment?.Totp.Algorithm);
        Add("digits", enrollment?.Totp.Digits);
        Add("period", enrollment?.Totp.PeriodSeconds);
        Add("secret", enrollment?.Secret?.Bytes);
        Add("last_step", enrollment?.LastStep);
        Add("recovery_id", enrollment?.Recovery.Id.ToByteArray());
        Add("recovery_key", (long?)enrollment?.Recovery.KeyId);
        Add("recovery_hashes", enrollment?.Recovery.Hashes);
        Add("recovery_used", (int?)enrollment?.Recovery.Used);
        Add("email", enrollment?.Email?.Bytes);
        Add("phone", enrollment?.Phone?.Bytes);
        Add("locale", enrollment?.Locale);
        Add("code_id", enrollment?.OpenCode?.Id.ToByteArray());
        Add("code_key", (long?)enrollment?.OpenCode?.KeyId);
        Add("code_hash", enrollment?.OpenCode?.Hash);
        Add("code_expire", enrollment?.OpenCode?.ExpireTime.ToUnixTimeMilliseconds());
        Add("code_tries", enrollment?.OpenCode?.Tries);
        Add("recovery_stale", enrollment?.Recovery.Stale == true ? 1 : null);
        Add("spent_from", enrollment?.Spent?.From);
        Add("spent_to", enrollment?.Spent?.To);
    }

    private static Enrollment? EnrollmentAt(SqliteDataReader row, int at) => row.IsDBNull(at) ? null : new Enrollment(
        new Guid(BytesAt(row, at)),
        (Method)row.GetInt32(at + 1),
        new TotpParameters((OtpAlgorithm)row.GetInt32(at + 2), row.GetInt32(at + 3), row.GetInt32(at + 4)),
        SealedAt(row, at + 5),
        row.GetInt64(at + 6),
        new RecoverySet(new Guid(BytesAt(row, at + 7)), (uint)row.GetInt64(at + 8), BytesAt(row, at + 9), (byte)row.GetInt32(at + 10), Stale: !row.IsDBNull(at + 19)),
        SealedAt(row, at + 11),
        SealedAt(row, at + 12),
        row.IsDBNull(at + 13) ? null : row.GetString(at + 13),
        row.IsDBNull(at + 14) ? null : new SentCode(new Guid(BytesAt(row, at + 14)), (uint)row.GetInt64(at + 15),
            BytesAt(row, at + 16), TimeAt(row, at + 17)!.Value, row.GetInt32(at + 18)),
        row.IsDBNull(at + 20) ? null : new StepRange(row.GetInt64(at + 20), row.GetInt64(at + 21)));

    private static byte[] BytesAt(SqliteDataReader row, int at) => row.GetFieldValue<byte[]>(at);

    private static SealedBytes? SealedAt(SqliteDataReader row, int at) => row.IsDBNull(at) ? null : new SealedBytes(BytesAt(row, at));

    private static object Value(DateTimeOffset? time) => time is { } t ? t.ToUnixTimeMilliseconds() : DBNull.Value;

    private static DateTimeOffset? TimeAt(SqliteDataReader row, int at) =>
        row.IsDBNull(at) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(at));
}
