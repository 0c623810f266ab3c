using System.Collections.Concurrent;
using System.Data.Common;
using Mfa.EndToEnd.Postgres;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Mfa.EndToEnd.Processes;

/// <summary>
/// With MFA_TEST_STORE=postgres every server that a test starts has a new database of PostgreSQL instead of a file, and so have the
/// verbs that are run on its folder: the same suites, on the other store.
/// </summary>
internal static class FolderStores
{
    private static readonly ConcurrentDictionary<string, string> Addresses = new(StringComparer.Ordinal);

    private static bool ArePostgres => Environment.GetEnvironmentVariable("MFA_TEST_STORE") == "postgres";

    /// <summary>Gives the folder a database, unless its settings name one.</summary>
    public static async Task GiveAsync(string data, IEnumerable<string> settings)
    {
        if (!ArePostgres || Addresses.ContainsKey(data) || settings.Any(s => s.StartsWith("store:connection=", StringComparison.Ordinal))) return;
        Addresses[data] = await PostgresCluster.Running.NewDatabaseAsync();
    }

    /// <returns>Null for a file in the folder, and for a command line that names a store itself.</returns>
    public static string? AddressFor(string[] arguments)
    {
        var at = Array.IndexOf(arguments, "--data");
        return at >= 0 && at + 1 < arguments.Length && Addresses.TryGetValue(arguments[at + 1], out var address) ? address : null;
    }

    /// <summary>Asks the database itself about an account, for what no reply tells.</summary>
    public static async Task<object?> AskAsync(ServerProcess server, string sql, string account)
    {
        await using DbConnection connection = Addresses.TryGetValue(server.Data, out var address)
            ? new NpgsqlConnection($"{address};Pooling=false")
            : new SqliteConnection($"Data Source={server.Database};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        var named = command.CreateParameter();
        // PostgreSQL has no text with a NUL in it: there it could only be the rest that was saved.
        (named.ParameterName, named.Value) = ("@account", connection is NpgsqlConnection ? account.Replace("\0", "", StringComparison.Ordinal) : account);
        command.Parameters.Add(named);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
