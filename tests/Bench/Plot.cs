using System.Globalization;
using System.Text;

namespace Mfa.Bench;

/// <summary>Draws the lines that a run printed: each workload's rate against the echo's, with the least and the largest pair.</summary>
internal static class Plot
{
    private const int Row = 26;
    private const int Top = 34;
    private const int Left = 230;
    private const int Wide = 420;
    private const double Bar = 0.60;

    /// <param name="lines">What a run printed; lines without an echo are passed over.</param>
    public static string Svg(IEnumerable<string> lines)
    {
        var rows = lines.Select(Fields).Where(fields => fields.ContainsKey("echo_rps")).ToList();
        var height = Top + Row * rows.Count + 30;
        var svg = new StringBuilder();
        svg.AppendLine(CultureInfo.InvariantCulture,
            $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Left + Wide + 60} {height}" font-family="sans-serif" font-size="12">""");
        svg.AppendLine($"""<rect width="100%" height="100%" fill="#fff"/><text x="10" y="20" font-size="13">Durable checks a second against a bare gRPC echo (median of pairs, least to largest)</text>""");
        foreach (var tick in new[] { 0, 0.2, 0.4, Bar, 0.8, 1 })
        {
            svg.AppendLine(CultureInfo.InvariantCulture,
                $"""<line x1="{X(tick)}" x2="{X(tick)}" y1="{Top}" y2="{height - 22}" stroke="{(tick == Bar ? "#c33" : "#ddd")}"/><text x="{X(tick)}" y="{height - 8}" text-anchor="middle">{tick:0.0}</text>""");
        }

        for (var i = 0; i < rows.Count; i++) svg.Append(Drawn(rows[i], Top + Row * i));
        return svg.AppendLine("</svg>").ToString();
    }

    private static string Drawn(Dictionary<string, string> row, int y)
    {
        double Number(string name) => double.Parse(row[name], CultureInfo.InvariantCulture);

        var middle = y + Row / 2;
        return string.Create(CultureInfo.InvariantCulture, $"""
            <text x="{Left - 8}" y="{middle + 4}" text-anchor="end">{row["workload"]}, {row["inflight"]} in flight, {int.Parse(row["accounts"], CultureInfo.InvariantCulture) / 1000}k accounts</text>
            <rect x="{X(0)}" y="{y + 5}" width="{X(Number("ratio")) - X(0)}" height="{Row - 10}" fill="#47a"/>
            <line x1="{X(Number("ratio_min"))}" x2="{X(Number("ratio_max"))}" y1="{middle}" y2="{middle}" stroke="#124" stroke-width="2"/>
            <text x="{X(Number("ratio_max")) + 6}" y="{middle + 4}">{row["ratio"]}</text>

            """);
    }

    private static Dictionary<string, string> Fields(string line) =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(field => field.Split('=', 2)).Where(pair => pair.Length == 2)
            .DistinctBy(pair => pair[0], StringComparer.Ordinal).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);

    private static double X(double ratio) => Left + ratio * Wide;
}
