using Mfa.Torture.History;

namespace Mfa.Torture.Checking;

/// <summary>When the server can have read its clock during a call, its clock having been moved as the history tells.</summary>
internal sealed class ServerClock
{
    /// <summary>Two programs that read one clock through different libraries; also the millisecond that is cut off.</summary>
    private const long SlackMilliseconds = 20;

    private readonly List<(long From, long To, long Offset)> _offsets = [];

    public ServerClock(IEnumerable<ClockMove> moves)
    {
        var (from, offset) = (long.MinValue, 0L);
        foreach (var move in moves.OrderBy(m => m.Start))
        {
            _offsets.Add((from, move.End, offset));
            (from, offset) = (move.Start, move.OffsetMilliseconds);
        }

        _offsets.Add((from, long.MaxValue, offset));
    }

    /// <param name="start">Unix microseconds of the load's clock.</param>
    public Span Between(long start, long end)
    {
        var (first, last) = (long.MaxValue, long.MinValue);
        foreach (var (from, to, offset) in _offsets)
        {
            if (to < start || from > end) continue;
            first = Math.Min(first, Math.Max(start, from) / 1000 + offset);
            last = Math.Max(last, Math.Min(end, to) / 1000 + offset);
        }

        return new Span(first - SlackMilliseconds, last + SlackMilliseconds);
    }
}
