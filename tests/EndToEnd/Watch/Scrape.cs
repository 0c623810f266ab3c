using System.Globalization;
using System.Text.RegularExpressions;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Watch;

/// <summary>What /metrics says at a moment.</summary>
internal sealed partial class Scrape
{
    private readonly List<(string Name, string Labels, double Value)> _samples;

    private Scrape(string text)
    {
        Text = text;
        _samples = [.. Sample().Matches(text).Select(m => (m.Groups[1].Value, m.Groups[2].Value, double.Parse(m.Groups[3].Value, CultureInfo.InvariantCulture)))];
    }

    public string Text { get; }

    public IEnumerable<string> Names => _samples.Select(sample => sample.Name).Distinct();

    public static async Task<Scrape> OfAsync(ServerProcess server) => new((await RawHttp.GetAsync(server.Web, "/metrics")).Body);

    /// <summary>The sum of all series of a name that have these labels, each as label="value". There must be one.</summary>
    public double this[string name, params string[] labels]
    {
        get
        {
            Assert.True(Found(name, labels).Any(), $"There is no {name} {string.Join(',', labels)} in:\n{Text}");
            return IfAny(name, labels);
        }
    }

    /// <summary>The same for what may not have been counted yet.</summary>
    public double IfAny(string name, params string[] labels) => Found(name, labels).Sum();

    private IEnumerable<double> Found(string name, string[] labels) =>
        from sample in _samples
        where sample.Name == name && labels.All(label => sample.Labels.Contains(label, StringComparison.Ordinal))
        select sample.Value;

    [GeneratedRegex("""^([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)""", RegexOptions.Multiline, 1000)]
    private static partial Regex Sample();
}
