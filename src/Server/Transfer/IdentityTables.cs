using Microsoft.Data.Sqlite;

namespace Mfa.Server.Transfer;

/// <summary>
/// The tables of ASP.NET Core Identity in an SQLite file. Its keys are always SHA1, 6 digits, 30 s. A person with a key but
/// `TwoFactorEnabled` off has never confirmed it.
/// </summary>
internal static class IdentityTables
{
    private const int LongestValue = 4096;

    private const string People = """
        SELECT u.Id, u.UserName, u.Email, u.EmailConfirmed, u.TwoFactorEnabled, substr(k.Value, 1, @most), substr(c.Value, 1, @most)
        FROM AspNetUsers u
        LEFT JOIN AspNetUserTokens k ON k.UserId = u.Id AND k.LoginProvider = '[AspNetUserStore]' AND k.Name = 'AuthenticatorKey'
        LEFT JOIN AspNetUserTokens c ON c.UserId = u.Id AND c.LoginProvider = '[AspNetUserStore]' AND c.Name = 'RecoveryCodes'
        WHERE k.Value IS NOT NULL OR u.TwoFactorEnabled <> 0
        ORDER BY u.Id
        """;

    /// <exception cref="StartRefusedException">Not such a file.</exception>
    public static IEnumerable<ForeignRow> Read(string path, AccountFrom from)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false,
        }.ConnectionString);
        using var command = connection.CreateCommand();
        using var row = Ask(path, connection, command);
        var number = 0;
        while (Step(path, row)) yield return RowOf($"user {++number}", row, from);
    }

    private static SqliteDataReader Ask(string path, SqliteConnection connection, SqliteCommand command)
    {
        try
        {
            connection.Open();
            command.CommandText = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"; // somebody else's file
            command.ExecuteNonQuery();
            command.CommandText = People;
            command.Parameters.AddWithValue("@most", LongestValue);
            return command.ExecuteReader();
        }
        catch (SqliteException unreadable)
        {
            throw Refused(path, unreadable);
        }
    }

    private static bool Step(string path, SqliteDataReader row)
    {
        try
        {
            return row.Read();
        }
        catch (SqliteException unreadable)
        {
            throw Refused(path, unreadable);
        }
    }

    private static ForeignRow RowOf(string place, SqliteDataReader row, AccountFrom from)
    {
        var account = Text(row, from switch { AccountFrom.Id => 0, AccountFrom.UserName => 1, AccountFrom.Email => 2 });
        var key = Text(row, 5);
        if (key.Length == 0)
            return ForeignRow.Unsupported(place, "two-factor sign-in without an authenticator: enrol the account for e-mail or SMS", account);
        if (key.Contains(':'))
        {
            return ForeignRow.Broken(place,
                "the key is protected with the application's key ring (ProtectPersonalData): have the application write the keys out", account);
        }

        var confirmed = Flag(row, 3);
        return new ForeignClaims(place)
        {
            Account = account,
            Secret = Base32.Decode(key),
            Proven = Flag(row, 4),
            Email = confirmed ? Text(row, 2) : "",
            Note = Notes(!confirmed && Text(row, 2).Length > 0, Text(row, 6)),
        }.Judge();
    }

    private static string Notes(bool unconfirmed, string codes)
    {
        var count = codes.Split(';', StringSplitOptions.RemoveEmptyEntries).Length;
        string[] notes =
        [
            .. unconfirmed ? ["the address was never confirmed and did not come along"] : Array.Empty<string>(),
            .. count > 0 ? [$"{count} recovery codes are shorter than 120 bits and did not come along"] : Array.Empty<string>(),
        ];
        return string.Join("; ", notes);
    }

    private static string Text(SqliteDataReader row, int at) => row.GetValue(at) as string ?? "";

    private static bool Flag(SqliteDataReader row, int at) => row.GetValue(at) is long and not 0;

    private static StartRefusedException Refused(string path, SqliteException why) => new(
        $"{path}: not an SQLite file with the tables AspNetUsers and AspNetUserTokens (SQLite error {why.SqliteErrorCode}).");
}
