using Mfa.Torture.History;

namespace Mfa.Torture.Checking;

/// <summary>What the server's two clocks may have said during a call.</summary>
/// <param name="Steady">The time that everything but the codes of apps goes by: never earlier than it was.</param>
/// <param name="System">The time of the machine, as it was moved.</param>
internal readonly record struct Moments(Span Steady, Span System)
{
    public static implicit operator Span(Moments moments) => moments.Steady;

    public Span Plus(TimeSpan time) => Steady.Plus(time);
}

/// <summary>When the server can have read its clocks during a call, the machine's having been moved as the history tells.</summary>
internal sealed class ServerClock
{
    /// <summary>Two programs that read one clock through different libraries; also the millisecond that is cut off.</summary>
    private const long SlackMilliseconds = 20;

    /// <summary>
    /// A server that dies while its time is ahead of the machine's goes on, once it is up again, from the last time that it
    /// saved: what it was down, and what it could not save before, is lost. More than that ever takes.
    /// </summary>
    private const long LossAtDeath = 120_000;

    private readonly List<Stretch> _stretches = [];
    private readonly long[] _deaths;

    public ServerClock(IEnumerable<ClockMove> moves, IEnumerable<Death> deaths)
    {
        _deaths = [.. deaths.Select(death => death.Time)];
        var (from, offset) = (long.MinValue, 0L);
        var (most, unsure, mostSince) = (0L, 0L, long.MinValue);
        foreach (var move in moves.OrderBy(m => m.Start))
        {
            _stretches.Add(new Stretch(from, move.End, offset, most, unsure, mostSince));
            (from, offset) = (move.Start, move.OffsetMilliseconds);
            if (move is { AheadFirst: { } first, AheadLast: { } last }) (most, unsure, mostSince) = (last, last - first, from);
            if (offset > most) (most, unsure, mostSince) = (offset, 0, from);
        }

        _stretches.Add(new Stretch(from, long.MaxValue, offset, most, unsure, mostSince));
    }

    /// <param name="start">Unix microseconds of the load's clock.</param>
    public Moments Between(long start, long end)
    {
        var (steady, system) = (Empty, Empty);
        foreach (var stretch in _stretches.Where(s => s.To >= start && s.From <= end))
        {
            var (first, last) = (Math.Max(start, stretch.From) / 1000, Math.Min(end, stretch.To) / 1000);
            system = Around(system, first + stretch.Offset, last + stretch.Offset);
            var lost = stretch.Unsure + LossAtDeath * _deaths.Count(death => death >= stretch.MostSince && death <= end);
            steady = Around(steady, first + Math.Max(stretch.Offset, stretch.Most - lost), last + stretch.Most);
        }

        return new Moments(steady, system);
    }

    private static Span Empty => new(long.MaxValue, long.MinValue);

    private static Span Around(Span span, long first, long last) =>
        new(Math.Min(span.First, first - SlackMilliseconds), Math.Max(span.Last, last + SlackMilliseconds));

    /// <summary>A time between two moves of the clock.</summary>
    /// <param name="Most">The furthest ahead that it has been so far, and since when.</param>
    /// <param name="Unsure">By how much that may be too far.</param>
    private readonly record struct Stretch(long From, long To, long Offset, long Most, long Unsure, long MostSince);
}
