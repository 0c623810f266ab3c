using Mfa.Server.Domain;

namespace Mfa.Server.Tests.Domain;

public sealed class SendLimitTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly SendLimit Hourly = new("account_hour", [], TimeSpan.FromHours(1), Most: 5, Gap: TimeSpan.Zero);
    private static readonly SendLimit Spaced = Hourly with { Most = int.MaxValue, Gap = TimeSpan.FromSeconds(60) };

    [Fact]
    public void The_last_message_of_a_window_passes_and_the_next_waits_for_its_end()
    {
        Assert.Null(Hourly.RetryTime(sentInWindow: 4, lastTime: Now, Now));
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 4, 0, 0, TimeSpan.Zero), Hourly.RetryTime(sentInWindow: 5, lastTime: Now, Now));
    }

    [Fact]
    public void A_gap_is_kept_to_the_millisecond()
    {
        Assert.Equal(Now.AddSeconds(60), Spaced.RetryTime(sentInWindow: 1, lastTime: Now, Now.AddSeconds(60).AddMilliseconds(-1)));
        Assert.Null(Spaced.RetryTime(sentInWindow: 1, lastTime: Now, Now.AddSeconds(60)));
        Assert.Null(Spaced.RetryTime(sentInWindow: 0, lastTime: null, Now));
    }

    [Fact]
    public void A_limit_of_none_lets_nothing_pass() =>
        Assert.NotNull((Hourly with { Most = 0 }).RetryTime(sentInWindow: 0, lastTime: null, Now));

    [Fact]
    public void Windows_begin_where_the_clock_strikes() =>
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 0, 0, 0, TimeSpan.Zero), (Hourly with { Window = TimeSpan.FromDays(1) }).WindowStart(Now));
}
