using System.Globalization;

namespace Mfa.Server.Transfer;

/// <summary>
/// The files of google-authenticator-libpam: one person a file, the Base32 secret first, then options, then short recovery codes.
/// Names no person: the account is the file's name or, for `.google_authenticator`, its folder's.
/// </summary>
internal static class LibpamFiles
{
    private const string UsualName = ".google_authenticator";
    private const long LargestFile = 65_536;

    /// <param name="path">One file, or a folder of them.</param>
    /// <param name="account">The account of a single file; null to go by its name.</param>
    public static IEnumerable<ForeignRow> Read(string path, string? account)
    {
        if (!Directory.Exists(path)) return [RowOf(Path.GetFileName(path), path, account ?? NameOf(Path.GetFullPath(path)))];
        return Directory.EnumerateFileSystemEntries(path).Order(StringComparer.Ordinal)
            .Select(entry => Directory.Exists(entry) ? Path.Combine(entry, UsualName) : entry)
            .Where(File.Exists)
            .Select(file => RowOf(Path.GetRelativePath(path, file), file, NameOf(file)));
    }

    private static string NameOf(string file) =>
        Path.GetFileName(file) == UsualName ? Path.GetFileName(Path.GetDirectoryName(file)!) : Path.GetFileName(file);

    private static ForeignRow RowOf(string place, string path, string account)
    {
        if (new FileInfo(path).Length > LargestFile) return ForeignRow.Broken(place, $"larger than {LargestFile} bytes", account);
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (UnauthorizedAccessException)
        {
            return ForeignRow.Broken(place, "this user may not read it", account);
        }

        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        var scratch = 0;
        foreach (var line in lines.Skip(1))
        {
            if (line.StartsWith("\" ", StringComparison.Ordinal))
            {
                var parts = line[2..].Split(' ', 2, StringSplitOptions.TrimEntries);
                options[parts[0]] = parts.Length == 2 ? parts[1] : "";
            }
            else if (line.Length == 8 && line.All(char.IsAsciiDigit))
            {
                scratch++;
            }
        }

        if (!options.ContainsKey("TOTP_AUTH") && !options.ContainsKey("HOTP_COUNTER"))
            return ForeignRow.Broken(place, "neither TOTP_AUTH nor HOTP_COUNTER: not a file of google-authenticator", account);
        if (LastStep(options.GetValueOrDefault("DISALLOW_REUSE", "")) is not { } lastStep)
            return ForeignRow.Broken(place, "DISALLOW_REUSE: not a list of time steps", account);
        return new ForeignClaims(place)
        {
            Account = account,
            Type = options.ContainsKey("TOTP_AUTH") ? "totp" : "hotp",
            Secret = Base32.Decode(lines[0].Trim()),
            Period = options.TryGetValue("STEP_SIZE", out var step) ? Number(step) : 30,
            LastStep = lastStep,
            Note = string.Join("; ", Notes(options, scratch)),
        }.Judge();
    }

    private static IEnumerable<string> Notes(Dictionary<string, string> options, int scratch)
    {
        if (scratch > 0) yield return $"{scratch} scratch codes are shorter than 120 bits and did not come along";
        if (options.GetValueOrDefault("TIME_SKEW") is not (null or "0")) yield return "its owner's clock is off (TIME_SKEW), which is not made up for here";
    }

    /// <summary>The newest step that was used; the option lists steps and not seconds.</summary>
    private static long? LastStep(string steps)
    {
        var last = 0L;
        foreach (var text in steps.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Number(text) is not { } step) return null;
            last = Math.Max(last, step);
        }

        return last;
    }

    private static long? Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
