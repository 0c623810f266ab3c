using Mfa.Server.Callers.Quotas;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Callers.Quotas;

public sealed class BoundedTableTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly BoundedTable<int, Value> _table;

    public BoundedTableTests() => _table = new(capacity: 3, _ => new Value(), value => value.Idle, _clock);

    [Fact]
    public void A_key_keeps_its_value()
    {
        var one = _table.Get(1);

        Assert.Same(one, _table.Get(1));
        Assert.Same(one, _table.Find(1));
        Assert.NotSame(one, _table.Get(2));
        Assert.Null(_table.Find(3));
    }

    [Fact]
    public void While_all_are_busy_newcomers_share_one_and_nobody_loses_theirs()
    {
        var busy = Enumerable.Range(1, 3).Select(_table.Get).ToArray();

        var newcomers = Enumerable.Range(4, 1_000).Select(_table.Get).Distinct().ToArray();

        Assert.Single(newcomers);
        Assert.Same(newcomers[0], _table.Find(9));
        Assert.Equal(busy, Enumerable.Range(1, 3).Select(_table.Get));
    }

    [Fact]
    public void Idle_values_make_room_for_newcomers_of_their_own()
    {
        var values = Enumerable.Range(1, 3).Select(_table.Get).ToArray();
        var shared = _table.Get(4);
        values[0].Idle = values[1].Idle = true;

        Assert.Same(shared, _table.Get(4)); // a moment ago there was no room
        _clock.Advance(TimeSpan.FromSeconds(1));
        var own = _table.Get(4);

        Assert.NotSame(shared, own);
        Assert.NotSame(shared, _table.Get(5));
        Assert.Same(shared, _table.Get(6)); // full again
        Assert.Same(values[2], _table.Get(3));
    }

    [Fact]
    public async Task Under_many_hands_it_never_holds_more_than_it_may()
    {
        var table = new BoundedTable<int, Value>(capacity: 100, _ => new Value(), _ => false, _clock);

        var seen = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Enumerable.Range(0, 5_000).Select(table.Get).ToArray())));

        // 100 of their own, the shared one, and none that was made and lost.
        Assert.InRange(seen.SelectMany(values => values).Distinct().Count(), 2, 101);
    }

    private sealed class Value
    {
        public bool Idle { get; set; }
    }
}
