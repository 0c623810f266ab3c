using System.Globalization;

namespace Mfa.Server.Transfer;

/// <summary>
/// A list of key URIs, one a line: otpauth://totp/Issuer:account?secret=…, as many programs print them. The batches of Google
/// Authenticator (otpauth-migration://) may stand among them. Empty lines and lines that begin with # are skipped.
/// </summary>
internal static class OtpauthLines
{
    private const string Scheme = "otpauth://";

    public static IEnumerable<ForeignRow> Read(Stream file)
    {
        var batches = new MigrationBatches();
        foreach (var line in BoundedLines.Read(file))
        {
            if (line.Problem is { } problem)
            {
                yield return ForeignRow.Broken(line.Place, problem);
            }
            else if (MigrationBatches.IsOne(line.Text))
            {
                foreach (var row in batches.Read(line)) yield return row;
            }
            else if (!line.Text.StartsWith('#'))
            {
                yield return RowOf(line);
            }
        }

        foreach (var row in batches.Missing()) yield return row;
    }

    private static ForeignRow RowOf(BoundedLine line)
    {
        if (!line.Text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return ForeignRow.Broken(line.Place, "not an otpauth:// URI");
        var rest = line.Text[Scheme.Length..].Split('#', 2)[0].Split('?', 2);
        var path = rest[0].Split('/', 2);
        if (path.Length < 2 || rest.Length < 2) return ForeignRow.Broken(line.Place, "a label or a query is missing");
        var (issuer, account) = LabelOf(Uri.UnescapeDataString(path[1]));

        var query = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var pair in rest[1].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            var value = parts.Length == 2 ? parts[1] : "";
            // A plus is a blank only where apps write blanks so.
            if (parts[0].Equals("issuer", StringComparison.OrdinalIgnoreCase)) value = value.Replace('+', ' ');
            if (!query.TryAdd(parts[0], Uri.UnescapeDataString(value))) return ForeignRow.Broken(line.Place, "a parameter is given twice", account);
        }

        return new ForeignClaims(line.Place)
        {
            Type = path[0],
            Account = account,
            Issuer = query.GetValueOrDefault("issuer", issuer),
            Secret = Base32.Decode(query.GetValueOrDefault("secret", "")),
            Algorithm = query.GetValueOrDefault("algorithm", "SHA1"),
            Digits = Number(query, "digits", 6),
            Period = Number(query, "period", 30),
        }.Judge();
    }

    /// <summary>`Issuer:account`, the colon and blanks after it as apps have them.</summary>
    public static (string Issuer, string Account) LabelOf(string label)
    {
        var colon = label.IndexOf(':');
        return colon < 0 ? ("", label.Trim()) : (label[..colon].Trim(), label[(colon + 1)..].Trim());
    }

    private static long? Number(Dictionary<string, string> query, string name, long usual) => !query.TryGetValue(name, out var text) ? usual
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
