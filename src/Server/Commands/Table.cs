namespace Mfa.Server.Commands;

/// <summary>Prints rows in columns, on standard output.</summary>
internal static class Table
{
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");

    public static async Task PrintAsync(string[] heads, IEnumerable<string[]> rows)
    {
        string[][] all = [heads, .. rows];
        var widths = heads.Select((_, column) => all.Max(row => row[column].Length)).ToArray();
        foreach (var row in all)
        {
            var cells = row.Select((cell, column) => cell.PadRight(widths[column]));
            await Console.Out.WriteLineAsync(string.Join("  ", cells).TrimEnd());
        }
    }
}
