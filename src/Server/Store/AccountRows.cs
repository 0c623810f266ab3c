using System.Security.Cryptography;
using Mfa.Server.Domain;

namespace Mfa.Server.Store;

/// <summary>The accounts table, as statements on a session.</summary>
internal static class AccountRows
{
    /// <summary>All but the key; the numbers below count from here.</summary>
    private const string Columns = """
        version, enable_time, disable_time, factor_failures, factor_locked_until, enrollment_failures,
        enrollment_locked_until, recovery_failures, recovery_locked_until, p_expire_time, d_hash, d_enrollment, d_expire,
        f_id, f_method, f_algorithm, f_digits, f_period, f_secret, f_last_step, f_recovery_id, f_recovery_key,
        f_recovery_hashes, f_recovery_used, f_recovery_stale, f_email, f_phone, f_locale, f_code_id, f_code_key,
        f_code_hash, f_code_expire, f_code_tries, f_spent_from, f_spent_to,
        p_id, p_method, p_algorithm, p_digits, p_period, p_secret, p_last_step, p_recovery_id, p_recovery_key,
        p_recovery_hashes, p_recovery_used, p_recovery_stale, p_email, p_phone, p_locale, p_code_id, p_code_key,
        p_code_hash, p_code_expire, p_code_tries, p_spent_from, p_spent_to
        """;

    /// <summary>As many as there are columns. Tenant, account and the version that was decided on come before them.</summary>
    private const string Values = """
        ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28,
        ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44, ?45, ?46, ?47, ?48, ?49, ?50, ?51, ?52,
        ?53, ?54, ?55, ?56, ?57, ?58, ?59, ?60
        """;

    private const string Select = $"SELECT {Columns} FROM accounts WHERE tenant = ?1 AND account = ?2";

    private const string Insert = $"INSERT INTO accounts (tenant, account, {Columns}) SELECT ?1, ?2, {Values} WHERE ?3 = 0 ON CONFLICT DO NOTHING";

    private const string Update = $"UPDATE accounts SET ({Columns}) = ({Values}) WHERE tenant = ?1 AND account = ?2 AND version = ?3";

    private const string UpdateGuesses = """
        UPDATE accounts SET version = ?4, factor_failures = ?5, factor_locked_until = ?6, f_last_step = ?7
        WHERE tenant = ?1 AND account = ?2 AND version = ?3
        """;

    private const int FirstValue = 4;
    private const int Factor = 13;
    private const int Pending = 35;

    /// <returns>The account as last saved; one that was never saved comes back empty, with version 0.</returns>
    public static Account Find(Session session, AccountKey key)
    {
        var row = session.Statement(Select);
        row.BindText(1, key.Tenant);
        row.BindText(2, key.Account);
        if (!row.Step()) return new Account(key);
        var account = new Account(key)
        {
            Version = row.Long(0),
            EnableTime = row.Time(1),
            DisableTime = row.Time(2),
            FactorGuesses = new GuessBudget((int)row.Long(3), row.Time(4)),
            EnrollmentGuesses = new GuessBudget((int)row.Long(5), row.Time(6)),
            RecoveryGuesses = new GuessBudget((int)row.Long(7), row.Time(8)),
            PendingExpireTime = row.Time(9),
            DisableToken = row.IsNull(10) ? null : new DisableToken(row.Bytes(10).ToArray(), new Guid(row.Bytes(11)), row.Time(12)!.Value),
            InForce = EnrollmentAt(row, Factor),
            Pending = EnrollmentAt(row, Pending),
        };
        row.Reset();
        return account;
    }

    /// <summary>
    /// Saves the account if it is still the one that was decided on. This condition is the one guard that makes a code count
    /// once: of any number of decisions on the same version, one is saved.
    /// </summary>
    /// <param name="loaded">What was decided on.</param>
    /// <returns>The account with its new version; null when somebody else saved it first, and nothing was changed then.</returns>
    public static Account? Save(Session session, Account loaded, Account next)
    {
        var onlyGuesses = OnlyGuessesDiffer(loaded, next);
        var row = session.Statement(next.Version == 0 ? Insert : onlyGuesses ? UpdateGuesses : Update);
        row.BindText(1, next.Key.Tenant);
        row.BindText(2, next.Key.Account);
        row.Bind(3, next.Version);
        var saved = next with { Version = NextVersion(next) };
        if (onlyGuesses) BindGuesses(row, saved);
        else Bind(row, saved);
        return row.Run() == 1 ? saved : null;
    }

    /// <summary>Whether the account is still the one that was decided on.</summary>
    public static bool IsCurrent(Session session, Account loaded)
    {
        var row = session.Statement("SELECT version FROM accounts WHERE tenant = ?1 AND account = ?2");
        row.BindText(1, loaded.Key.Tenant);
        row.BindText(2, loaded.Key.Account);
        var version = row.Step() ? row.Long(0) : 0;
        row.Reset();
        return version == loaded.Version;
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

    /// <summary>
    /// Whether no more changed than what a check of an authenticator's code changes: those are nearly all writes there are, and
    /// naming the few columns saves a third of the time.
    /// </summary>
    private static bool OnlyGuessesDiffer(Account loaded, Account next) =>
        loaded.InForce is { } old && next.InForce is { } now
        && next == loaded with { FactorGuesses = next.FactorGuesses, InForce = now }
        && (ReferenceEquals(now, old) || now == old with { LastStep = now.LastStep });

    private static void BindGuesses(Statement row, Account account)
    {
        row.Bind(4, account.Version);
        row.Bind(5, account.FactorGuesses.Failures);
        row.Bind(6, account.FactorGuesses.LockedUntil);
        row.Bind(7, account.InForce!.LastStep);
    }

    private static void Bind(Statement row, Account account)
    {
        var at = FirstValue;
        row.Bind(at++, account.Version);
        row.Bind(at++, account.EnableTime);
        row.Bind(at++, account.DisableTime);
        row.Bind(at++, account.FactorGuesses.Failures);
        row.Bind(at++, account.FactorGuesses.LockedUntil);
        row.Bind(at++, account.EnrollmentGuesses.Failures);
        row.Bind(at++, account.EnrollmentGuesses.LockedUntil);
        row.Bind(at++, account.RecoveryGuesses.Failures);
        row.Bind(at++, account.RecoveryGuesses.LockedUntil);
        row.Bind(at++, account.PendingExpireTime);
        row.BindBytes(at++, account.DisableToken?.Hash);
        row.Bind(at++, account.DisableToken?.EnrollmentId);
        row.Bind(at, account.DisableToken?.ExpireTime);
        Bind(row, FirstValue + Factor, account.InForce);
        Bind(row, FirstValue + Pending, account.Pending);
    }

    private static void Bind(Statement row, int at, Enrollment? enrollment)
    {
        row.Bind(at++, enrollment?.Id);
        row.Bind(at++, (long?)enrollment?.Method);
        row.Bind(at++, (long?)enrollment?.Totp.Algorithm);
        row.Bind(at++, enrollment?.Totp.Digits);
        row.Bind(at++, enrollment?.Totp.PeriodSeconds);
        row.BindBytes(at++, enrollment?.Secret?.Bytes);
        row.Bind(at++, enrollment?.LastStep);
        row.Bind(at++, enrollment?.Recovery.Id);
        row.Bind(at++, enrollment?.Recovery.KeyId);
        row.BindBytes(at++, enrollment?.Recovery.Hashes);
        row.Bind(at++, enrollment?.Recovery.Used);
        row.Bind(at++, enrollment?.Recovery.Stale == true ? 1L : null);
        row.BindBytes(at++, enrollment?.Email?.Bytes);
        row.BindBytes(at++, enrollment?.Phone?.Bytes);
        row.BindText(at++, enrollment?.Locale);
        row.Bind(at++, enrollment?.OpenCode?.Id);
        row.Bind(at++, enrollment?.OpenCode?.KeyId);
        row.BindBytes(at++, enrollment?.OpenCode?.Hash);
        row.Bind(at++, enrollment?.OpenCode?.ExpireTime);
        row.Bind(at++, enrollment?.OpenCode?.Tries);
        row.Bind(at++, enrollment?.Spent?.From);
        row.Bind(at, enrollment?.Spent?.To);
    }

    private static Enrollment? EnrollmentAt(Statement row, int at) => row.IsNull(at) ? null : new Enrollment(
        new Guid(row.Bytes(at)),
        (Method)row.Long(at + 1),
        new TotpParameters((OtpAlgorithm)row.Long(at + 2), (int)row.Long(at + 3), (int)row.Long(at + 4)),
        SealedAt(row, at + 5),
        row.Long(at + 6),
        new RecoverySet(
            new Guid(row.Bytes(at + 7)), (uint)row.Long(at + 8), row.Bytes(at + 9).ToArray(), (byte)row.Long(at + 10), Stale: !row.IsNull(at + 11)),
        SealedAt(row, at + 12),
        SealedAt(row, at + 13),
        row.IsNull(at + 14) ? null : row.Text(at + 14),
        row.IsNull(at + 15) ? null : new SentCode(
            new Guid(row.Bytes(at + 15)), (uint)row.Long(at + 16), row.Bytes(at + 17).ToArray(), row.Time(at + 18)!.Value, (int)row.Long(at + 19)),
        row.IsNull(at + 20) ? null : new StepRange(row.Long(at + 20), row.Long(at + 21)));

    private static SealedBytes? SealedAt(Statement row, int at) => row.IsNull(at) ? null : new SealedBytes(row.Bytes(at).ToArray());

    /// <summary>
    /// A new row starts at a random version: were it always 1, a decision made on a row that was removed meanwhile could be
    /// saved over the row that took its place.
    /// </summary>
    private static long NextVersion(Account account) =>
        account.Version == 0 ? 1L + RandomNumberGenerator.GetInt32(int.MaxValue) : account.Version + 1;
}
