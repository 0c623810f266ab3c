using System.Security.Cryptography;
using Mfa.Server.Domain;
using Mfa.Server.Store;

namespace Mfa.Server.Tests.Store;

public sealed class AccountCacheTests
{
    private readonly AccountCache _cache = new(1);

    [Fact]
    public void Gives_back_every_field_of_what_was_put_in()
    {
        var time = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_123);
        var account = New("everything", version: 7) with
        {
            EnableTime = time,
            DisableTime = time.AddDays(-1),
            FactorGuesses = new GuessBudget(3, time.AddMinutes(1)),
            EnrollmentGuesses = new GuessBudget(4, time.AddMinutes(2)),
            RecoveryGuesses = new GuessBudget(5, LockedUntil: null),
        };
        account = account with
        {
            InForce = account.InForce! with { Email = Sealed(70), Phone = Sealed(50), Locale = "fr-CA", LastStep = 99 },
        };

        // A property that comes later must be given a value here, and then a place in the image.
        Assert.Equal(["Pending", "PendingExpireTime", "DisableToken"], Unset(account));
        Assert.Equal(["OpenCode", "Spent"], Unset(account.InForce!));
        Assert.Empty(Unset(account.InForce!.Recovery));
        _cache.Put(account);

        AssertSame(account, _cache.Find(account.Key)!);
    }

    [Fact]
    public void An_account_with_nothing_but_its_factor_comes_back_with_nothing_else()
    {
        var account = New("plain", version: 1);

        _cache.Put(account);

        AssertSame(account, _cache.Find(account.Key)!);
    }

    [Fact]
    public void Names_at_their_longest_and_the_largest_secret_fit()
    {
        var account = New(new string('a', 128), version: 1);
        account = account with
        {
            Key = new AccountKey(new string('t', 128), account.Key.Account),
            InForce = account.InForce! with { Secret = Sealed(37 + 64), Email = Sealed(37 + 254), Phone = Sealed(37 + 16) },
        };

        _cache.Put(account);

        AssertSame(account, _cache.Find(account.Key)!);
    }

    [Fact]
    public void Never_mistakes_one_account_for_another()
    {
        foreach (var i in Enumerable.Range(0, 500)) _cache.Put(New($"a{i}", version: i + 1));

        foreach (var i in Enumerable.Range(0, 500)) Assert.Equal(i + 1, _cache.Find(new AccountKey("t", $"a{i}"))!.Version);
        Assert.Null(_cache.Find(new AccountKey("u", "a1")));
        Assert.Null(_cache.Find(new AccountKey("ta", "1")));
    }

    [Fact]
    public void A_read_that_was_overtaken_by_a_save_does_not_bring_the_old_state_back()
    {
        var old = New("alice", version: 5);
        _cache.Put(old with { Version = 6, FactorGuesses = new GuessBudget(1, LockedUntil: null) });

        _cache.Put(old);

        Assert.Equal((6, 1), (_cache.Find(old.Key)!.Version, _cache.Find(old.Key)!.FactorGuesses.Failures));
    }

    [Theory]
    [InlineData("pending")]
    [InlineData("code")]
    [InlineData("token")]
    [InlineData("spent")]
    [InlineData("disabled")]
    public void An_account_with_something_underway_is_forgotten(string underway)
    {
        var account = New("alice", version: 5);
        var factor = account.InForce!;
        var later = DateTimeOffset.FromUnixTimeMilliseconds(1_900_000_000_000);
        _cache.Put(account);

        _cache.Put(underway switch
        {
            "pending" => account with { Version = 6, Pending = factor, PendingExpireTime = later },
            "code" => account with { Version = 6, InForce = factor with { OpenCode = new SentCode(Guid.NewGuid(), 1, [1], later, Tries: 0) } },
            "token" => account with { Version = 6, DisableToken = new DisableToken([1], factor.Id, later) },
            "spent" => account with { Version = 6, InForce = factor with { Spent = new StepRange(1, 2) } },
            _ => account with { Version = 6, InForce = null },
        });

        Assert.Null(_cache.Find(account.Key));
    }

    [Fact]
    public void Keeps_the_newest_when_there_are_more_than_it_has_room_for()
    {
        const int Many = 20_000; // of more than 300 bytes each: six times what fits
        foreach (var i in Enumerable.Range(1, Many)) _cache.Put(New($"a{i}", version: i));

        var kept = Enumerable.Range(1, Many).Where(i => _cache.Find(new AccountKey("t", $"a{i}")) is not null).ToList();
        Assert.InRange(kept.Count, 2_000, 4_000);
        Assert.All(kept, i => Assert.Equal(i, _cache.Find(new AccountKey("t", $"a{i}"))!.Version));
        Assert.InRange(kept[0], Many - 5_000, Many);
        Assert.Equal(Many, kept[^1]);
    }

    [Fact]
    public void Entries_that_change_their_length_stay_right_while_the_ring_turns_over()
    {
        var newest = new Dictionary<int, int>();
        foreach (var version in Enumerable.Range(1, 50_000))
        {
            var account = RandomNumberGenerator.GetInt32(3_000);
            _cache.Put(New($"a{account}", version) is var one ? one with { InForce = one.InForce! with { Email = Sealed(37 + RandomNumberGenerator.GetInt32(200)) } } : one);
            newest[account] = version;
        }

        var kept = newest.Where(pair => _cache.Find(new AccountKey("t", $"a{pair.Key}")) is not null).ToList();
        Assert.NotEmpty(kept);
        Assert.All(kept, pair => Assert.Equal(pair.Value, _cache.Find(new AccountKey("t", $"a{pair.Key}"))!.Version));
    }

    [Fact]
    public void Without_room_it_knows_nothing()
    {
        var none = new AccountCache(0);

        none.Put(New("alice", version: 1));

        Assert.Null(none.Find(new AccountKey("t", "alice")));
    }

    private static Account New(string name, long version) => new(new AccountKey("t", name))
    {
        Version = version,
        InForce = new Enrollment(
            Guid.NewGuid(), Method.Authenticator, new TotpParameters(OtpAlgorithm.Sha256, 8, 45), Sealed(57), LastStep: 12,
            new RecoverySet(Guid.NewGuid(), KeyId: 0xFFFF_FFFE, RandomNumberGenerator.GetBytes(128), Used: 0x81, Stale: true), Email: null),
    };

    /// <summary>Properties that have nothing but the value of their type: what an account has underway must be among them, or it is not kept.</summary>
    private static IEnumerable<string> Unset<T>(T whole) where T : class => typeof(T).GetProperties()
        .Where(property => property.CanWrite && property.GetValue(whole) is var value && (value is null || (value.GetType().IsValueType && value.Equals(Activator.CreateInstance(value.GetType())))))
        .Select(property => property.Name);

    private static SealedBytes Sealed(int length) => new(RandomNumberGenerator.GetBytes(length));

    /// <summary>Records compare byte arrays by identity, so as text.</summary>
    private static void AssertSame(Account expected, Account found)
    {
        Assert.Equal(Bytes(expected), Bytes(found));
        Assert.Equal(Plain(expected), Plain(found));

        static string?[] Bytes(Account account) => [.. new[]
        {
            account.InForce!.Secret?.Bytes, account.InForce.Email?.Bytes, account.InForce.Phone?.Bytes, account.InForce.Recovery.Hashes,
        }.Select(bytes => bytes is null ? null : Convert.ToHexString(bytes))];

        static Account Plain(Account account) => account with
        {
            InForce = account.InForce! with { Secret = null, Email = null, Phone = null, Recovery = account.InForce.Recovery with { Hashes = Array.Empty<byte>() } },
        };
    }
}
