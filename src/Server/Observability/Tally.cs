using System.Diagnostics.Metrics;

namespace Mfa.Server.Observability;

/// <summary>
/// A counter whose tags are all known beforehand: to count is one increment, without a lookup or an allocation, and every series
/// is there from the start, at zero. One with an empty value is not told.
/// </summary>
internal sealed class Tally
{
    private readonly long[] _counts;
    private readonly KeyValuePair<string, object?>[][] _tags;
    private readonly int _columns;

    public Tally(string tag, string[] values)
    {
        _columns = 1;
        _tags = [.. values.Select(value => new[] { KeyValuePair.Create<string, object?>(tag, value) })];
        _counts = new long[_tags.Length];
    }

    public Tally(string rowTag, string[] rows, string columnTag, string[] columns)
    {
        _columns = columns.Length;
        _tags =
        [
            .. from row in rows
               from column in columns
               select new[] { KeyValuePair.Create<string, object?>(rowTag, row), KeyValuePair.Create<string, object?>(columnTag, column) },
        ];
        _counts = new long[_tags.Length];
    }

    public void Observe(Meter meter, string name, string unit, string description) =>
        meter.CreateObservableCounter(name, Read, unit, description);

    public void Add(int row, int column = 0) => Interlocked.Increment(ref _counts[row * _columns + column]);

    private IEnumerable<Measurement<long>> Read()
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            if (_tags[i].All(tag => tag.Value is not "")) yield return new Measurement<long>(Interlocked.Read(ref _counts[i]), _tags[i]);
        }
    }
}
