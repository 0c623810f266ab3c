namespace Mfa.Server.Store.Postgres;

/// <summary>The numbered .sql files of this folder, embedded. One that has landed is never edited.</summary>
internal static class PostgresMigrations
{
    private const string Prefix = "postgres.";

    public static IReadOnlyList<string> All { get; } = Read();

    private static List<string> Read()
    {
        var assembly = typeof(PostgresMigrations).Assembly;
        var names = assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal));
        var scripts = new List<string>();
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            scripts.Add(reader.ReadToEnd());
        }

        return scripts;
    }
}
