using System.Security.Cryptography;
using Mfa.Server.Domain;
using Npgsql;

namespace Mfa.Server.Store.Postgres;

/// <summary>A column of the accounts table and what of accounts stands in it.</summary>
internal sealed record AccountColumn(string Name, Func<IReadOnlyList<(Account From, Account To)>, NpgsqlParameter> Of);

/// <summary>Saves accounts, in statements whose parameters are one array a column: any number of accounts is saved in one.</summary>
internal static class AccountColumns
{
    /// <summary>What checking a code can change. All else of the row stays where it is, and no index is touched.</summary>
    private static readonly AccountColumn[] Checked =
    [
        Number("factor_failures", a => a.FactorGuesses.Failures),
        Time("factor_locked_until", a => a.FactorGuesses.LockedUntil),
        Number("enrollment_failures", a => a.EnrollmentGuesses.Failures),
        Time("enrollment_locked_until", a => a.EnrollmentGuesses.LockedUntil),
        Number("recovery_failures", a => a.RecoveryGuesses.Failures),
        Time("recovery_locked_until", a => a.RecoveryGuesses.LockedUntil),
        Number("f_last_step", a => a.InForce?.LastStep),
        Number("f_recovery_used", a => a.InForce?.Recovery.Used),
        .. CodeOf("f", a => a.InForce?.OpenCode),
    ];

    /// <summary>What of it a right code changes, when none was wrong before.</summary>
    private static readonly AccountColumn[] Step = [Number("f_last_step", a => a.InForce?.LastStep)];

    private static readonly AccountColumn[] Rest =
    [
        Time("enable_time", a => a.EnableTime),
        Time("disable_time", a => a.DisableTime),
        Time("p_expire_time", a => a.PendingExpireTime),
        Bytes("d_hash", a => a.DisableToken?.Hash),
        Bytes("d_enrollment", a => a.DisableToken?.EnrollmentId.ToByteArray()),
        Time("d_expire", a => a.DisableToken?.ExpireTime),
        .. EnrollmentOf("f", a => a.InForce),
        .. EnrollmentOf("p", a => a.Pending),
        Number("p_last_step", a => a.Pending?.LastStep),
        Number("p_recovery_used", a => a.Pending?.Recovery.Used),
        .. CodeOf("p", a => a.Pending?.OpenCode),
    ];

    private static readonly AccountColumn[] All = [.. Checked, .. Rest];

    // The statements are open to a test of their query plans.
    public static readonly string UpdateStep = Guarded(Update(Step), Step);
    public static readonly string UpdateChecked = Guarded(Update(Checked), Checked);
    public static readonly string UpdateAll = Guarded(Update(All), All);
    public static readonly string InsertAll = Guarded(Insert(All), All);
    public const string CountCurrent = """
        SELECT 1 / (count(*) = $4)::int FROM unnest($1, $2, $3) AS n(tenant, account, version)
        JOIN accounts AS a ON a.tenant = n.tenant AND a.account = n.account AND a.version = n.version
        """;
    private static readonly string UpdateOne = Counted(Update(All));
    private static readonly string InsertOne = Counted(Insert(All));

    /// <summary>Whether a right code is all that lies between the two.</summary>
    public static bool OnlyStep(Account from, Account to) => from is { Version: > 0, InForce: { } before } && to.InForce is { } after
        && to == (@from with { InForce = before with { LastStep = after.LastStep } });

    /// <summary>Whether checking a code is all that lies between the two.</summary>
    public static bool OnlyChecked(Account from, Account to)
    {
        if (from.Version == 0 || (from.InForce is null) != (to.InForce is null)) return false;
        var back = to with
        {
            FactorGuesses = from.FactorGuesses,
            EnrollmentGuesses = from.EnrollmentGuesses,
            RecoveryGuesses = from.RecoveryGuesses,
            InForce = to.InForce is null ? null : to.InForce with
            {
                LastStep = from.InForce!.LastStep,
                OpenCode = from.InForce.OpenCode,
                Recovery = to.InForce.Recovery with { Used = from.InForce.Recovery.Used },
            },
        };
        return back == from;
    }

    /// <summary>
    /// The account with the version that it is saved as. It goes up by chance: a state that a failover lost shares its version with none
    /// that took its place, and whoever still goes by it saves nothing. So does a decision on a row that was removed and made anew.
    /// </summary>
    /// <param name="chance">Of the transaction: all its accounts may share one.</param>
    public static Account Next(Account account, int chance) => account with { Version = account.Version + 1L + chance };

    /// <summary>For <see cref="Next"/>.</summary>
    public static int Chance() => RandomNumberGenerator.GetInt32(int.MaxValue);

    public static NpgsqlBatchCommand SaveStep(IReadOnlyList<(Account From, Account To)> accounts) => Save(UpdateStep, Step, accounts);

    public static NpgsqlBatchCommand SaveChecked(IReadOnlyList<(Account From, Account To)> accounts) => Save(UpdateChecked, Checked, accounts);

    public static NpgsqlBatchCommand SaveAll(IReadOnlyList<(Account From, Account To)> accounts) => Save(UpdateAll, All, accounts);

    /// <summary>Divides by zero when one of them is not what it was any more.</summary>
    public static NpgsqlBatchCommand RequireCurrent(IReadOnlyList<Account> accounts)
    {
        var command = new NpgsqlBatchCommand(CountCurrent);
        BindKeys(command.Parameters, [.. accounts.Select(account => account.Key)]);
        command.Parameters.Add(Arrays.Numbers(accounts, account => account.Version));
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = accounts.Count });
        return command;
    }

    public static NpgsqlBatchCommand Add(IReadOnlyList<(Account From, Account To)> accounts) => Save(InsertAll, All, accounts);

    /// <summary>Saves one within a transaction that goes on.</summary>
    /// <returns>The account with its new version; null when somebody else saved it first.</returns>
    public static Account? SaveOne(NpgsqlConnection connection, Account account)
    {
        using var command = new NpgsqlCommand(account.Version == 0 ? InsertOne : UpdateOne, connection);
        var next = Next(account, Chance());
        Bind(command.Parameters, All, [(account, next)]);
        return command.ExecuteScalar() is 1L ? next : null;
    }

    /// <summary>Whether the account is still the one that was decided on.</summary>
    public static bool IsCurrent(NpgsqlConnection connection, Account loaded)
    {
        using var command = new NpgsqlCommand("SELECT version FROM accounts WHERE tenant = $1 AND account = $2", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = loaded.Key.Tenant });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = loaded.Key.Account });
        return (command.ExecuteScalar() as long? ?? 0) == loaded.Version;
    }

    public static void BindKeys(NpgsqlParameterCollection parameters, IReadOnlyList<AccountKey> keys)
    {
        parameters.Add(Arrays.Texts(keys, key => key.Tenant));
        parameters.Add(Arrays.Texts(keys, key => key.Account));
    }

    private static string Update(AccountColumn[] columns) => $"""
        WITH saved AS (
            UPDATE accounts AS a SET version = n.next_version, {string.Join(", ", columns.Select(c => $"{c.Name} = n.{c.Name}"))}
            FROM unnest({Places(4 + columns.Length)}) AS n(tenant, account, version, next_version, {Names(columns)})
            WHERE a.tenant = n.tenant AND a.account = n.account AND a.version = n.version RETURNING 1)
        """;

    private static string Insert(AccountColumn[] columns) => $"""
        WITH saved AS (
            INSERT INTO accounts (tenant, account, version, {Names(columns)})
            SELECT n.tenant, n.account, n.next_version, {string.Join(", ", columns.Select(c => $"n.{c.Name}"))}
            FROM unnest({Places(4 + columns.Length)}) AS n(tenant, account, version, next_version, {Names(columns)})
            ON CONFLICT DO NOTHING RETURNING 1)
        """;

    /// <summary>Divides by zero when not every row was saved, which takes the whole transaction back.</summary>
    private static string Guarded(string save, AccountColumn[] columns) => $"{save} SELECT 1 / (count(*) = ${5 + columns.Length})::int FROM saved";

    private static string Counted(string save) => $"{save} SELECT count(*) FROM saved";

    private static NpgsqlBatchCommand Save(string sql, AccountColumn[] columns, IReadOnlyList<(Account From, Account To)> accounts)
    {
        var command = new NpgsqlBatchCommand(sql);
        Bind(command.Parameters, columns, accounts);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = accounts.Count });
        return command;
    }

    private static void Bind(NpgsqlParameterCollection parameters, AccountColumn[] columns, IReadOnlyList<(Account From, Account To)> accounts)
    {
        BindKeys(parameters, [.. accounts.Select(account => account.To.Key)]);
        parameters.Add(Arrays.Numbers(accounts, account => account.From.Version));
        parameters.Add(Arrays.Numbers(accounts, account => account.To.Version));
        foreach (var column in columns) parameters.Add(column.Of(accounts));
    }

    private static AccountColumn[] EnrollmentOf(string slot, Func<Account, Enrollment?> of) =>
    [
        Bytes($"{slot}_id", a => of(a)?.Id.ToByteArray()),
        Number($"{slot}_method", a => (long?)of(a)?.Method),
        Number($"{slot}_algorithm", a => (long?)of(a)?.Totp.Algorithm),
        Number($"{slot}_digits", a => of(a)?.Totp.Digits),
        Number($"{slot}_period", a => of(a)?.Totp.PeriodSeconds),
        Bytes($"{slot}_secret", a => of(a)?.Secret?.Bytes),
        Bytes($"{slot}_recovery_id", a => of(a)?.Recovery.Id.ToByteArray()),
        Number($"{slot}_recovery_key", a => of(a)?.Recovery.KeyId),
        Bytes($"{slot}_recovery_hashes", a => of(a)?.Recovery.Hashes),
        Number($"{slot}_recovery_stale", a => of(a)?.Recovery.Stale == true ? 1 : null),
        Bytes($"{slot}_email", a => of(a)?.Email?.Bytes),
        Bytes($"{slot}_phone", a => of(a)?.Phone?.Bytes),
        new($"{slot}_locale", rows => Arrays.Texts(rows, row => of(row.To)?.Locale)),
        Number($"{slot}_spent_from", a => of(a)?.Spent?.From),
        Number($"{slot}_spent_to", a => of(a)?.Spent?.To),
    ];

    private static AccountColumn[] CodeOf(string slot, Func<Account, SentCode?> of) =>
    [
        Bytes($"{slot}_code_id", a => of(a)?.Id.ToByteArray()),
        Number($"{slot}_code_key", a => of(a)?.KeyId),
        Bytes($"{slot}_code_hash", a => of(a)?.Hash),
        Time($"{slot}_code_expire", a => of(a)?.ExpireTime),
        Number($"{slot}_code_tries", a => of(a)?.Tries),
    ];

    private static AccountColumn Number(string name, Func<Account, long?> of) => new(name, rows => Arrays.Numbers(rows, row => of(row.To)));

    private static AccountColumn Time(string name, Func<Account, DateTimeOffset?> of) => Number(name, a => of(a)?.ToUnixTimeMilliseconds());

    private static AccountColumn Bytes(string name, Func<Account, byte[]?> of) =>
        new(name, rows => Arrays.Bytes(rows, row => of(row.To)));

    private static string Places(int count) => string.Join(", ", Enumerable.Range(1, count).Select(i => $"${i}"));

    private static string Names(AccountColumn[] columns) => string.Join(", ", columns.Select(c => c.Name));
}
