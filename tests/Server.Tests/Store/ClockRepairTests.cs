using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;
using Mfa.Server.Tests.Protection;

namespace Mfa.Server.Tests.Store;

/// <summary>A clock that was wrong, and what is mended of it: never at the price of a code that counts twice (ST16, TL15).</summary>
public sealed class ClockRepairTests : IDisposable
{
    private static readonly AccountKey Alice = new("default", "alice");
    private static readonly TimeSpan LongestLock = TimeSpan.FromHours(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly GuessPolicy Policy = new(Run: 5, TimeSpan.FromMinutes(1), LongestLock, Cap: 100);
    private static readonly GuessPolicies Policies = new(Policy, Policy, Policy);

    private readonly TempFolder _folder = new();
    private readonly MovedClock _clock = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly KeyRing _ring = Rings.New();
    private readonly Database _database;
    private SqliteStore _store;

    public ClockRepairTests()
    {
        _database = new Database(_folder.File("mfa.db"));
        _database.Create(_ring);
        _store = new SqliteStore(_database, _ring, _clock);
    }

    private DateTimeOffset Now => _clock.GetUtcNow();

    private long Step => Now.ToUnixTimeSeconds() / 30;

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task After_a_day_ahead_and_back_codes_work_again_and_those_of_that_day_never_count_twice()
    {
        await EnrolAsync();
        Assert.True(await AcceptAsync(Step));
        _clock.Move(Day);
        var (first, last) = (Step, Step + 20);
        Assert.True(await AcceptAsync(first));
        Minutes(10);
        Assert.True(await AcceptAsync(last));
        _clock.Move(-Day);
        Assert.False(await AcceptAsync(Step));
        Assert.Equal((1, 1), (Marks().StepsAhead, Marks().StepsForgivable));

        Repair();

        Assert.False(Marks().AreAhead(Now));
        Assert.False(await AcceptAsync(Step));
        Minutes(4);
        Assert.True(await AcceptAsync(Step));
        _clock.Advance(Day - TimeSpan.FromMinutes(15));
        foreach (var step in Enumerable.Range(0, 21).Select(i => first + i))
            Assert.False(await AcceptAsync(step));
        Assert.True(await AcceptAsync(last + 1));
    }

    [Fact]
    public async Task Where_nothing_tells_which_codes_were_used_they_wait_for_their_time()
    {
        await EnrolAsync();
        for (var i = 0; i < 10; i++) // a clock that runs fast leaves no gap
        {
            _clock.Move(TimeSpan.FromMinutes(4));
            Assert.True(await AcceptAsync(Step));
        }

        var last = Step;
        _clock.Move(TimeSpan.FromMinutes(-40));
        Assert.Equal((1, 0), (Marks().StepsAhead, Marks().StepsForgivable));

        Repair();

        Assert.Equal(1, Marks().StepsAhead);
        Minutes(10);
        Assert.False(await AcceptAsync(Step));
        Minutes(31);
        Assert.True(Step > last && await AcceptAsync(Step));
    }

    [Fact]
    public async Task Locks_and_lives_of_a_wrong_time_end_with_it()
    {
        await EnrolAsync();
        _clock.Move(Day);
        var (id, ahead) = (Guid.NewGuid(), Now);
        await _store.UpdateAsync(_store.Find(Alice), account => new Change<bool>(true, account with
        {
            FactorGuesses = new GuessBudget(5, ahead.AddMinutes(1)),
            DisableToken = new DisableToken([1], id, ahead.AddMinutes(15)),
            InForce = account.InForce! with { OpenCode = new SentCode(id, 1, [1], ahead.AddMinutes(5), 0) },
            Pending = Enrollment(),
            PendingExpireTime = ahead.AddHours(1),
        }, Audit: null));
        _clock.Move(-Day);
        Assert.Equal((1, 1), (Marks().LocksTooLong, Marks().LivesTooLong));
        var version = _store.Find(Alice).Version;

        Repair();

        var account = _store.Find(Alice);
        Assert.Equal(Now + LongestLock, account.FactorGuesses.LockedUntil);
        Assert.Null(account.DisableToken);
        Assert.Null(account.InForce!.OpenCode);
        Assert.Null(account.PendingAt(Now));
        Assert.True(account.Version > version);
        Assert.False(Marks().AreAhead(Now));
    }

#pragma warning disable RS0030 // the same moves every time: a failure must come again
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task However_the_clock_is_moved_and_repaired_no_step_is_accepted_twice(int seed)
    {
        await EnrolAsync();
        var random = new Random(seed);
        var accepted = new HashSet<long>();
        for (var i = 0; i < 300; i++)
        {
            switch (random.Next(10))
            {
                case 0: _clock.Move(TimeSpan.FromMinutes(random.Next(-90, 90))); break;
                case 1: _clock.Move(TimeSpan.FromHours(random.Next(-30, 30))); break;
                case 2: Repair(); break;
                case 3: Restart(); break;
                case 4: _clock.Advance(TimeSpan.FromMinutes(random.Next(0, 120))); break;
                default: _clock.Advance(TimeSpan.FromSeconds(random.Next(0, 90))); break;
            }

            var step = Step + random.Next(-2, 3);
            if (await AcceptAsync(step)) Assert.True(accepted.Add(step), $"Step {step} was accepted twice, at move {i}.");
        }

        Assert.True(accepted.Count > 10, "Hardly anything was accepted: this proves nothing.");
    }
#pragma warning restore RS0030

    [Fact]
    public async Task Silence_is_on_record_as_a_gap_until_the_clock_is_set_back_into_it()
    {
        await EnrolAsync();
        var (from, to) = (Now, Now + Day);
        _clock.Move(Day);
        await AcceptAsync(Step);
        Assert.Equal([(from, to)], Gaps());

        _clock.Move(-Day / 2);
        await AcceptAsync(Step);

        Assert.Equal([(from + Day / 2, to)], Gaps());
    }

    /// <summary>What VerifyFlow does with the right code of a step.</summary>
    private Task<bool> AcceptAsync(long step)
    {
        var (loaded, now) = (_store.Find(Alice), _store.Clock.GetUtcNow());
        return _store.UpdateAsync(loaded, account =>
        {
            var check = CodeCheck.OfFactor(account, new StepEvidence(account.InForce!.Id, step), Policies, now);
            return new Change<bool>(check.Kind == CheckKind.Accepted, check.Next with { FactorGuesses = default }, Audit: null);
        });
    }

    private Task<bool> EnrolAsync() => _store.UpdateAsync(_store.Find(Alice), account => new Change<bool>(true, account with { InForce = Enrollment() }, Audit: null));

    private static Enrollment Enrollment() => new(
        Guid.NewGuid(), Method.Authenticator, new TotpParameters(OtpAlgorithm.Sha1, 6, 30), new SealedBytes([1]), LastStep: 0,
        new RecoverySet(Guid.NewGuid(), KeyId: 1, [5], Used: 0), Email: null);

    private ClockMarks Marks() => _store.Read(session => ClockRepair.Inspect(session, Now, LongestLock));

    private void Repair()
    {
        _store.Dispose();
        ClockRepair.Run(_database, Now, LongestLock);
        _store = new SqliteStore(_database, _ring, _clock);
    }

    private void Restart()
    {
        _store.Dispose();
        _store = new SqliteStore(_database, _ring, _clock);
    }

    /// <summary>As a server lives through them: the sweeper saves every minute.</summary>
    private void Minutes(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _clock.Advance(TimeSpan.FromMinutes(1));
            _store.WriteAsync(_ => true).Wait(TestContext.Current.CancellationToken);
        }
    }

    private List<(DateTimeOffset, DateTimeOffset)> Gaps() => _store.Read(session =>
    {
        using var row = session.Command("SELECT from_time, to_time FROM clock_gaps").ExecuteReader();
        var gaps = new List<(DateTimeOffset, DateTimeOffset)>();
        while (row.Read()) gaps.Add((DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0)), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1))));
        return gaps;
    });
}
