using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store;

/// <summary>The numbered .sql files of this folder, embedded. One that has landed is never edited.</summary>
internal static class Migrations
{
    /// <summary>The one that brings the audit trail, which needs a first signature.</summary>
    public const int Audit = 3;

    /// <summary>The one from which on the hash of a password names its person.</summary>
    public const int NamedPasswords = 7;

    public static IReadOnlyList<string> All { get; } = Read();

    public static int VersionOf(SqliteConnection connection, SqliteTransaction transaction)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "PRAGMA user_version";
        return Convert.ToInt32(command.ExecuteScalar());
    }

    public static void Apply(SqliteConnection connection, SqliteTransaction transaction, int version, string sql)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // a file of ours, and a number: PRAGMA takes no parameters
        command.CommandText = $"{sql}; PRAGMA user_version = {version};";
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static List<string> Read()
    {
        var assembly = typeof(Migrations).Assembly;
        var names = assembly.GetManifestResourceNames().Where(name => name.EndsWith(".sql", StringComparison.Ordinal));
        var scripts = new List<string>();
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            scripts.Add(reader.ReadToEnd());
        }

        return scripts;
    }
}
