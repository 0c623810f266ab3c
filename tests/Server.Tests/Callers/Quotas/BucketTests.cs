using CsCheck;
using Mfa.Server.Callers.Quotas;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Callers.Quotas;

public sealed class BucketTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void A_burst_goes_at_once_and_then_one_token_at_a_time()
    {
        var bucket = new Bucket(new Rate(PerSecond: 4, Burst: 3), _clock);
        for (var i = 0; i < 3; i++) Assert.Equal(TimeSpan.Zero, bucket.Take());

        Assert.Equal(TimeSpan.FromMilliseconds(250), bucket.Take());
        _clock.Advance(TimeSpan.FromMilliseconds(249));
        Assert.Equal(TimeSpan.FromMilliseconds(1), bucket.Take());
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(TimeSpan.Zero, bucket.Take());
        Assert.NotEqual(TimeSpan.Zero, bucket.Take());
    }

    [Fact]
    public void A_pause_however_long_saves_no_more_than_the_burst()
    {
        var bucket = new Bucket(new Rate(PerSecond: 1_000, Burst: 2), _clock);
        bucket.Take();

        _clock.Advance(TimeSpan.FromDays(1_000));

        Assert.True(bucket.IsFull);
        Assert.Equal([true, true, false], Enumerable.Range(0, 3).Select(_ => bucket.Take() == TimeSpan.Zero));
    }

    [Fact]
    public void A_clock_that_goes_back_locks_nobody_out()
    {
        var bucket = new Bucket(new Rate(PerSecond: 1, Burst: 2), _clock);
        bucket.Take();

        _clock.AdjustTime(_clock.GetUtcNow().AddHours(-1));

        Assert.Equal(TimeSpan.Zero, bucket.WaitFor(2));
        Assert.Equal([true, true, false], Enumerable.Range(0, 3).Select(_ => bucket.Take() == TimeSpan.Zero));
    }

    [Fact]
    public void Asking_how_long_it_takes_takes_nothing()
    {
        var bucket = new Bucket(new Rate(PerSecond: 10, Burst: 20), _clock);

        for (var i = 0; i < 100; i++) Assert.Equal(TimeSpan.Zero, bucket.WaitFor(20));
        bucket.Take();

        Assert.Equal(TimeSpan.FromMilliseconds(100), bucket.WaitFor(20));
        Assert.Equal(TimeSpan.Zero, bucket.WaitFor(19));
    }

    /// <summary>Against a bucket as one draws it: a level that rises with time, in whole tokens times ticks.</summary>
    [Fact]
    public void It_agrees_with_a_level_that_rises_and_falls()
    {
        int[] divisors = [1, 2, 5, 20, 1_000, 1_000_000]; // of a second in ticks, so that the arithmetic is exact
        var rates = Gen.Select(Gen.Int[0, 5], Gen.Int[1, 50], (i, burst) => new Rate(divisors[i], burst));
        var steps = Gen.Select(Gen.Long[0, 3_000_000], Gen.Int[1, 5], (ticks, tokens) => (ticks, tokens)).Array[1, 100];

        Gen.Select(rates, steps).Sample((rate, all) =>
        {
            var clock = new FakeTimeProvider();
            var bucket = new Bucket(rate, clock);
            var (token, level) = (TimeSpan.TicksPerSecond / rate.PerSecond, TimeSpan.TicksPerSecond / rate.PerSecond * rate.Burst);
            var size = level;
            foreach (var (ticks, tokens) in all)
            {
                clock.Advance(TimeSpan.FromTicks(ticks));
                level = Math.Min(size, level + ticks);
                var (wait, enough) = (bucket.Take(tokens), level >= tokens * token);
                if (enough != (wait == TimeSpan.Zero)) return false;
                if (enough) level -= tokens * token;
                else if (wait.Ticks < tokens * token - level || wait.Ticks >= tokens * token - level + TimeSpan.TicksPerMillisecond) return false;
            }

            return true;
        });
    }

    [Fact]
    public async Task Of_many_takers_at_once_exactly_the_burst_gets_one()
    {
        var bucket = new Bucket(new Rate(PerSecond: 1, Burst: 10_000), _clock);

        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
            Enumerable.Range(0, 5_000).Count(_ => bucket.Take() == TimeSpan.Zero))));

        Assert.Equal(10_000, taken.Sum());
    }
}
