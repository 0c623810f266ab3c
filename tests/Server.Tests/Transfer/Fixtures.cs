using System.Runtime.CompilerServices;
using System.Text;
using Mfa.Server.Delivery;
using Mfa.Server.Transfer;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Tests.Transfer;

/// <summary>Files of other programs, and what is read in them, one line a row.</summary>
internal static class Fixtures
{
    /// <summary>The secrets of RFC 6238's examples, by their number of bytes.</summary>
    public const string Digits = "1234567890123456789012345678901234567890123456789012345678901234";

    public const string Password = "correct horse battery staple";

    public static string PathOf(string name) => Path.Combine(Folder(), "fixtures", name);

    public static Task<ForeignFile> OpenAsync(string path, string format, AccountFrom from = AccountFrom.Id, string password = Password) =>
        ForeignFile.OpenAsync(path, format, from, account: null, new PhoneParser(new DeliveryOptions()), () => Task.FromResult(password));

    /// <summary>Each row in words; a secret that is the beginning of <see cref="Digits"/> is told by its length.</summary>
    public static async Task<List<string>> ReadAsync(string name, string format, AccountFrom from = AccountFrom.Id) =>
        [.. (await OpenAsync(PathOf(name), format, from)).Rows.Select(Told)];

    public static string Identity(TempFolder folder, string? more = null)
    {
        var path = folder.File("identity.db");
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the fixture
        command.CommandText = File.ReadAllText(PathOf("identity.sql")) + more;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
        return path;
    }

    public static string Told(ForeignRow row)
    {
        if (row.Factor is not { } factor) return $"{row.Place} {row.Kind}: {row.Cause}";
        var secret = factor.Secret is null ? "" : Encoding.ASCII.GetString(factor.Secret.Bytes);
        if (secret.Length > 0) secret = Digits.StartsWith(secret, StringComparison.Ordinal) ? $" {secret.Length} bytes" : $" '{secret}'";
        var totp = factor.Totp;
        var rest = string.Concat(
            factor.LastStep > 0 ? $" after {factor.LastStep}" : "", factor.Proven ? "" : " unproven",
            factor.Email is { } email ? $" {email.Reveal()}" : "", factor.Notes.Count > 0 ? $" ({string.Join("; ", factor.Notes)})" : "");
        return $"{row.Place} {row.Account} {factor.Method} {totp.Algorithm} {totp.Digits} {totp.PeriodSeconds}{secret}{rest}";
    }

    private static string Folder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
