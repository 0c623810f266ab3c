using Mfa.Server.Domain;
using Mfa.Server.Store;
using Mfa.Server.Tests.Protection;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Store;

/// <summary>What every store must do, on a real file.</summary>
public sealed class SqliteStoreTests : IDisposable
{
    private static readonly AccountKey Alice = new("default", "alice");
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly Database _database;
    private readonly SqliteStore _store;

    public SqliteStoreTests()
    {
        _database = new Database(_folder.File("mfa.db"));
        var ring = Rings.New();
        _database.Create(ring);
        _store = new SqliteStore(_database, ring, _clock);
    }

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void An_account_that_was_never_saved_is_empty()
    {
        var account = _store.Find(Alice);

        Assert.Equal(new Account(Alice), account);
    }

    [Fact]
    public async Task An_account_comes_back_as_it_was_saved()
    {
        var saved = new Account(Alice)
        {
            InForce = NewEnrollment(email: [1, 2]),
            Pending = NewEnrollment(email: null),
            PendingExpireTime = _clock.GetUtcNow().AddHours(1),
            EnableTime = _clock.GetUtcNow(),
            DisableTime = _clock.GetUtcNow().AddDays(-1),
            FactorGuesses = new GuessBudget(5, _clock.GetUtcNow().AddMinutes(1)),
            EnrollmentGuesses = new GuessBudget(2, LockedUntil: null),
            RecoveryGuesses = new GuessBudget(7, _clock.GetUtcNow().AddMinutes(2)),
        };
        await SaveAsync(new Account(Alice), _ => saved);

        var found = _store.Find(Alice);

        // Byte arrays compare by reference: compare them apart, then everything else at once.
        Assert.Equal(saved.InForce!.Secret!.Bytes, found.InForce!.Secret!.Bytes);
        Assert.Equal(saved.InForce.Email!.Bytes, found.InForce.Email!.Bytes);
        Assert.Equal(saved.InForce.Recovery.Hashes, found.InForce.Recovery.Hashes);
        Assert.Equal(saved.Pending!.Secret!.Bytes, found.Pending!.Secret!.Bytes);
        Assert.Equal(
            saved with { InForce = WithoutBytes(saved.InForce), Pending = WithoutBytes(saved.Pending), Version = 0 },
            found with { InForce = WithoutBytes(found.InForce), Pending = WithoutBytes(found.Pending), Version = 0 });
    }

    [Fact]
    public async Task Of_many_decisions_on_one_state_exactly_one_is_saved_and_the_others_decide_again()
    {
        await SaveAsync(_store.Find(Alice), a => a with { InForce = NewEnrollment(email: null) });
        var loaded = _store.Find(Alice);

        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => _store.UpdateAsync(loaded, UseStep(10)))));

        Assert.Single(answers, accepted => accepted);
        Assert.Equal(10, _store.Find(Alice).InForce!.LastStep);
    }

    [Fact]
    public async Task A_decision_on_a_removed_row_is_not_saved_over_the_row_that_took_its_place()
    {
        await SaveAsync(_store.Find(Alice), a => a with { Pending = NewEnrollment(email: null), PendingExpireTime = _clock.GetUtcNow() });
        var stale = _store.Find(Alice);
        await new Sweeper(_store, _clock, NullLogger<Sweeper>.Instance).SweepAsync();
        await SaveAsync(_store.Find(Alice), a => a with { DisableTime = _clock.GetUtcNow() });

        var seen = new List<Account>();
        await _store.UpdateAsync(stale, current =>
        {
            seen.Add(current);
            return new Change<bool>(Answer: true, current with { EnrollmentGuesses = new GuessBudget(1, LockedUntil: null) }, Audit: null);
        });

        Assert.Equal(2, seen.Count);
        Assert.NotNull(_store.Find(Alice).DisableTime);
    }

    [Fact]
    public async Task A_decision_that_changes_nothing_writes_nothing()
    {
        var saved = await SaveAsync(_store.Find(Alice), a => a with { InForce = NewEnrollment(email: null) });

        Assert.Equal("no", await _store.UpdateAsync(_store.Find(Alice), current => new Change<string>("no", current, Audit: null)));
        Assert.Equal(saved.Version, _store.Find(Alice).Version);
    }

    [Fact]
    public async Task While_another_process_holds_the_write_lock_nothing_is_answered_and_nothing_saved()
    {
        await SaveAsync(_store.Find(Alice), a => a with { InForce = NewEnrollment(email: null) });
        using var other = _database.Open();
        Database.Execute(other, "BEGIN EXCLUSIVE");

        await Assert.ThrowsAsync<StoreUnavailableException>(() => _store.UpdateAsync(_store.Find(Alice), UseStep(10)));
        Database.Execute(other, "ROLLBACK");

        Assert.Equal(0, _store.Find(Alice).InForce!.LastStep);
        Assert.True(await _store.UpdateAsync(_store.Find(Alice), UseStep(10)));
    }

    [Fact]
    public async Task Work_that_fails_takes_nobody_with_it()
    {
        var gate = new ManualResetEventSlim();
        var first = _store.WriteAsync(_ => gate.Wait(TimeSpan.FromMinutes(1))); // holds the writer until the others are one group
        var account = new Account(Alice);
        var before = Enumerable.Range(0, 8).Select(i => SaveAsync(new Account(Alice with { Account = $"b{i}" }), a => a)).ToList();
        var broken = _store.WriteAsync<int>(_ => throw new InvalidOperationException("broken"));
        var after = Enumerable.Range(0, 8).Select(i => SaveAsync(new Account(Alice with { Account = $"a{i}" }), a => a)).ToList();
        gate.Set();

        await first;
        await Assert.ThrowsAsync<InvalidOperationException>(() => broken);
        await Task.WhenAll(before.Concat(after));
        Assert.All(before.Concat(after), saved => Assert.NotEqual(0, _store.Find(saved.Result.Key).Version));
        Assert.Equal(0, _store.Find(account.Key).Version);
    }

    [Fact]
    public void Every_commit_is_synced_and_what_is_deleted_is_overwritten()
    {
        using var connection = _database.Open();

        Assert.Equal("wal", Pragma(connection, "journal_mode"));
        Assert.Equal(2L, Pragma(connection, "synchronous")); // FULL
        Assert.Equal(1L, Pragma(connection, "secure_delete"));
        Assert.Equal(1L, Pragma(connection, "foreign_keys"));
        Assert.Equal(0L, Pragma(connection, "trusted_schema"));
    }

    [Fact]
    public async Task The_sweep_removes_what_expired_and_nothing_else()
    {
        var now = _clock.GetUtcNow();
        await SaveAsync(new Account(Alice with { Account = "gone" }), a => a with { Pending = NewEnrollment([1]), PendingExpireTime = now });
        await SaveAsync(new Account(Alice with { Account = "guessed" }), a => a with
        {
            Pending = NewEnrollment([1]),
            PendingExpireTime = now,
            EnrollmentGuesses = new GuessBudget(3, LockedUntil: null),
        });
        await SaveAsync(new Account(Alice with { Account = "enabled" }), a => a with
        {
            InForce = NewEnrollment([1]),
            Pending = NewEnrollment([1]),
            PendingExpireTime = now,
        });
        await SaveAsync(new Account(Alice with { Account = "waiting" }), a => a with
        {
            Pending = NewEnrollment([1]),
            PendingExpireTime = now.AddMilliseconds(1),
        });

        await new Sweeper(_store, _clock, NullLogger<Sweeper>.Instance).SweepAsync();

        Assert.Equal(0, Find("gone").Version);
        Assert.Equal((null, 3), (Find("guessed").Pending, Find("guessed").EnrollmentGuesses.Failures));
        Assert.NotNull(Find("enabled").InForce);
        Assert.Null(Find("enabled").Pending);
        Assert.NotNull(Find("waiting").Pending);
    }

    [Fact]
    public void A_newer_schema_is_refused()
    {
        using (var connection = _database.Open()) Database.Execute(connection, "PRAGMA user_version = 999");

        Assert.Contains("newer version", Assert.Throws<StartRefusedException>(() => _database.Migrate(Rings.New())).Message);
    }

    private static Func<Account, Change<bool>> UseStep(long step) => account => account.InForce!.LastStep < step
        ? new Change<bool>(Answer: true, account with { InForce = account.InForce with { LastStep = step } }, Audit: null)
        : new Change<bool>(Answer: false, account, Audit: null);

    private Account Find(string account) => _store.Find(Alice with { Account = account });

    private async Task<Account> SaveAsync(Account loaded, Func<Account, Account> change)
    {
        await _store.UpdateAsync(loaded, account => new Change<bool>(Answer: true, change(account) with { Key = account.Key }, Audit: null));
        return _store.Find(loaded.Key);
    }

    private static Enrollment WithoutBytes(Enrollment enrollment) => enrollment with
    {
        Secret = new SealedBytes(Array.Empty<byte>()),
        Email = null,
        Recovery = enrollment.Recovery with { Hashes = Array.Empty<byte>() },
    };

    private static Enrollment NewEnrollment(byte[]? email) => new(
        Guid.NewGuid(), Method.Authenticator, new TotpParameters(OtpAlgorithm.Sha256, 8, 60), new SealedBytes([9, 8, 7]), LastStep: 0,
        new RecoverySet(Guid.NewGuid(), KeyId: 0xFEDCBA98, [5, 5], Used: 0b1000_0001, Stale: true), email is null ? null : new SealedBytes(email),
        Spent: new StepRange(3, 9));

    private static object? Pragma(SqliteConnection connection, string name)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // names of this file
        command.CommandText = $"PRAGMA {name}";
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }
}
