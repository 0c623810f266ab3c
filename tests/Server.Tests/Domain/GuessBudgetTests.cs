using Mfa.Server.Domain;

namespace Mfa.Server.Tests.Domain;

public sealed class GuessBudgetTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly GuessPolicy Policy = new(Run: 5, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), Cap: 100);

    [Fact]
    public void The_fourth_wrong_code_leaves_one_and_the_fifth_locks()
    {
        var four = Wrong(4);
        var five = Wrong(5);

        Assert.False(four.IsLocked(Start));
        Assert.Equal(1, four.Remaining(Policy, Start));
        Assert.True(five.IsLocked(Start));
        Assert.Equal(0, five.Remaining(Policy, Start));
    }

    [Fact]
    public void A_lock_ends_by_itself_at_its_time_and_not_before()
    {
        var locked = Wrong(5);

        Assert.True(locked.IsLocked(Start.AddMinutes(1).AddMilliseconds(-1)));
        Assert.False(locked.IsLocked(Start.AddMinutes(1)));
        Assert.Equal(5, locked.Remaining(Policy, Start.AddMinutes(1)));
    }

    [Theory]
    [InlineData(5, 1)]
    [InlineData(10, 2)]
    [InlineData(15, 4)]
    [InlineData(20, 8)]
    [InlineData(25, 16)]
    [InlineData(30, 32)]
    [InlineData(35, 60)]
    [InlineData(95, 60)]
    public void Each_further_lock_is_twice_as_long_up_to_an_hour(int wrong, int minutes) =>
        Assert.Equal(Start.AddMinutes(minutes), Wrong(wrong).LockedUntil);

    [Fact]
    public void A_hundred_in_a_row_block_and_ninety_nine_do_not()
    {
        Assert.False(Wrong(99).IsBlocked(Policy));
        Assert.Equal(1, Wrong(99).Remaining(Policy, Start.AddHours(2)));
        Assert.True(Wrong(100).IsBlocked(Policy));
        Assert.Equal(0, Wrong(100).Remaining(Policy, Start.AddHours(2)));
    }

    [Fact]
    public void Without_a_cap_nothing_ever_blocks() =>
        Assert.False(new GuessBudget(int.MaxValue, LockedUntil: null).IsBlocked(Policy with { Cap = null }));

    [Fact]
    public void The_longest_run_of_locks_stays_within_the_longest_lock() =>
        Assert.Equal(Start.AddHours(1), new GuessBudget(4_999_999, LockedUntil: null).AfterWrong(Policy, Start).LockedUntil);

    private static GuessBudget Wrong(int times)
    {
        var budget = default(GuessBudget);
        for (var i = 0; i < times; i++) budget = budget.AfterWrong(Policy, Start);
        return budget;
    }
}
