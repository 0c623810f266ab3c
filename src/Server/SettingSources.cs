using Mfa.Server.Callers;

namespace Mfa.Server;

/// <summary>Reads the settings: defaults, then appsettings.json, then the environment, then --set; the last one wins.</summary>
internal static class SettingSources
{
    private const string FileName = "appsettings.json";
    private const string FileSection = "Mfa";
    private const string Prefix = "MFA__";

    /// <param name="start">The defaults that hold before any source is read.</param>
    /// <param name="folder">Where appsettings.json is looked for.</param>
    /// <param name="sets">The values of --set, each section:key=value.</param>
    /// <exception cref="StartRefusedException">An unknown name or a value out of range; the line says which and where.</exception>
    public static Settings Read(Settings start, string folder, IEnumerable<string> sets)
    {
        var settings = start;
        foreach (var (name, value, source) in FromFile(folder).Concat(FromEnvironment()).Concat(sets.Select(FromOption)))
            settings = Apply(settings, name, value, source);
        if (settings.Guesses.FirstLock > settings.Guesses.LongestLock)
            throw new StartRefusedException("Setting guesses:firstLockSeconds must not be more than guesses:longestLockSeconds.");
        if (JwtOptions.Incomplete(settings.Jwt, settings.SecondJwt) is { } incomplete) throw new StartRefusedException(incomplete);
        return settings;
    }

    private static Settings Apply(Settings settings, string name, string value, string source)
    {
        var setting = SettingTable.All.FirstOrDefault(s => s.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new StartRefusedException($"Unknown setting {name} (from {source}). Known: {string.Join(", ", SettingTable.All.Select(s => s.Name))}.");
        return setting.Apply(settings, value)
            ?? throw new StartRefusedException($"Setting {setting.Name} (from {source}) is '{value}'; it accepts: {setting.Accepts}.");
    }

    private static List<(string, string, string)> FromFile(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return [];
        try
        {
            var root = new ConfigurationBuilder().AddJsonFile(path, optional: false).Build();
            return root.GetSection(FileSection).AsEnumerable(makePathsRelative: true)
                .Where(pair => pair.Value is not null)
                .Select(pair => (pair.Key, pair.Value!, path))
                .ToList();
        }
        catch (Exception broken) when (broken is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"{path}: cannot be read as JSON settings.");
        }
    }

    private static IEnumerable<(string, string, string)> FromEnvironment() =>
        from System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables()
        let name = (string)variable.Key
        where name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
        select (name[Prefix.Length..].Replace("__", ":"), (string?)variable.Value ?? "", $"environment variable {name}");

    private static (string, string, string) FromOption(string text)
    {
        var equals = text.IndexOf('=');
        return equals > 0
            ? (text[..equals], text[(equals + 1)..], "--set")
            : throw new StartRefusedException($"--set {text}: give section:key=value.");
    }
}
