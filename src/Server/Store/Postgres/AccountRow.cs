using Mfa.Server.Domain;
using Npgsql;

namespace Mfa.Server.Store.Postgres;

/// <summary>Reads accounts: any number of them is found in one statement, by their keys alone.</summary>
internal static class AccountRow
{
    private static readonly string[] Read =
    [
        "version", "enable_time", "disable_time", "factor_failures", "factor_locked_until", "enrollment_failures", "enrollment_locked_until",
        "recovery_failures", "recovery_locked_until", "p_expire_time", "d_hash", "d_enrollment", "d_expire", .. ReadOf("f"), .. ReadOf("p"),
    ];

    private static readonly string Select = $"""
        SELECT n.at, {string.Join(", ", Read.Select(name => $"a.{name}"))}
        FROM unnest($1, $2) WITH ORDINALITY AS n(tenant, account, at) JOIN accounts AS a ON a.tenant = n.tenant AND a.account = n.account
        """;

    public static NpgsqlBatchCommand Find(IReadOnlyList<AccountKey> keys)
    {
        var command = new NpgsqlBatchCommand(Select);
        AccountColumns.BindKeys(command.Parameters, keys);
        return command;
    }

    public static Account ReadFrom(NpgsqlDataReader row, AccountKey key) => new(key)
    {
        Version = row.GetInt64(1),
        EnableTime = TimeAt(row, 2),
        DisableTime = TimeAt(row, 3),
        FactorGuesses = new GuessBudget((int)row.GetInt64(4), TimeAt(row, 5)),
        EnrollmentGuesses = new GuessBudget((int)row.GetInt64(6), TimeAt(row, 7)),
        RecoveryGuesses = new GuessBudget((int)row.GetInt64(8), TimeAt(row, 9)),
        PendingExpireTime = TimeAt(row, 10),
        DisableToken = row.IsDBNull(11) ? null : new DisableToken(BytesAt(row, 11), new Guid(BytesAt(row, 12)), TimeAt(row, 13)!.Value),
        InForce = EnrollmentAt(row, 14),
        Pending = EnrollmentAt(row, 36),
    };

    private static IEnumerable<string> ReadOf(string slot) => """
        id method algorithm digits period secret last_step recovery_id recovery_key recovery_hashes recovery_used email phone locale code_id
        code_key code_hash code_expire code_tries recovery_stale spent_from spent_to
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(name => $"{slot}_{name}");

    private static Enrollment? EnrollmentAt(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : new Enrollment(
        new Guid(BytesAt(row, at)),
        (Method)row.GetInt64(at + 1),
        new TotpParameters((OtpAlgorithm)row.GetInt64(at + 2), (int)row.GetInt64(at + 3), (int)row.GetInt64(at + 4)),
        SealedAt(row, at + 5),
        row.GetInt64(at + 6),
        new RecoverySet(new Guid(BytesAt(row, at + 7)), (uint)row.GetInt64(at + 8), BytesAt(row, at + 9), (byte)row.GetInt64(at + 10), Stale: !row.IsDBNull(at + 19)),
        SealedAt(row, at + 11),
        SealedAt(row, at + 12),
        row.IsDBNull(at + 13) ? null : row.GetString(at + 13),
        row.IsDBNull(at + 14) ? null : new SentCode(new Guid(BytesAt(row, at + 14)), (uint)row.GetInt64(at + 15),
            BytesAt(row, at + 16), TimeAt(row, at + 17)!.Value, (int)row.GetInt64(at + 18)),
        row.IsDBNull(at + 20) ? null : new StepRange(row.GetInt64(at + 20), row.GetInt64(at + 21)));

    private static byte[] BytesAt(NpgsqlDataReader row, int at) => row.GetFieldValue<byte[]>(at);

    private static SealedBytes? SealedAt(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : new SealedBytes(BytesAt(row, at));

    private static DateTimeOffset? TimeAt(NpgsqlDataReader row, int at) =>
        row.IsDBNull(at) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(at));
}
