using System.Collections.Concurrent;
using Mfa.EndToEnd.Postgres;

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
}
