using Mfa.Server.Domain;
using Mfa.Server.Store;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Store;

/// <summary>What every store must do, on a real file or server.</summary>
public abstract class StoreContract
{
    private protected static readonly AccountKey Alice = new("default", "alice");
    private protected FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    /// <summary>With memory for accounts.</summary>
    private protected abstract IStore Store { get; }

    /// <summary>Another process on the same database.</summary>
    private protected abstract IStore NewOther();

    [Fact]
    public void An_account_that_was_never_saved_is_empty()
    {
        var account = Store.Find(Alice);

        Assert.Equal(new Account(Alice), account);
    }

    [Fact]
    public async Task An_account_comes_back_as_it_was_saved()
    {
        var saved = new Account(Alice)
        {
            InForce = NewEnrollment(email: [1, 2]),
            Pending = NewEnrollment(email: null),
            PendingExpireTime = Clock.GetUtcNow().AddHours(1),
            EnableTime = Clock.GetUtcNow(),
            DisableTime = Clock.GetUtcNow().AddDays(-1),
            FactorGuesses = new GuessBudget(5, Clock.GetUtcNow().AddMinutes(1)),
            EnrollmentGuesses = new GuessBudget(2, LockedUntil: null),
            RecoveryGuesses = new GuessBudget(7, Clock.GetUtcNow().AddMinutes(2)),
        };
        await SaveAsync(new Account(Alice), _ => saved);

        var found = Store.Find(Alice);

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
        await SaveAsync(Store.Find(Alice), a => a with { InForce = NewEnrollment(email: null) });
        var loaded = Store.Find(Alice);

        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => Store.UpdateAsync(loaded, UseStep(10)))));

        Assert.Single(answers, accepted => accepted);
        Assert.Equal(10, Store.Find(Alice).InForce!.LastStep);
    }

    [Fact]
    public async Task A_decision_on_a_removed_row_is_not_saved_over_the_row_that_took_its_place()
    {
        await SaveAsync(Store.Find(Alice), a => a with { Pending = NewEnrollment(email: null), PendingExpireTime = Clock.GetUtcNow() });
        var stale = Store.Find(Alice);
        await new Sweeper(Store, Clock, NullLogger<Sweeper>.Instance).SweepAsync();
        await SaveAsync(Store.Find(Alice), a => a with { DisableTime = Clock.GetUtcNow() });

        var seen = new List<Account>();
        await Store.UpdateAsync(stale, current =>
        {
            seen.Add(current);
            return new Change<bool>(Answer: true, current with { EnrollmentGuesses = new GuessBudget(1, LockedUntil: null) }, Audit: null);
        });

        Assert.Equal(2, seen.Count);
        Assert.NotNull(Store.Find(Alice).DisableTime);
    }

    [Fact]
    public async Task A_decision_that_changes_nothing_writes_nothing()
    {
        var saved = await SaveAsync(Store.Find(Alice), a => a with { InForce = NewEnrollment(email: null) });

        Assert.Equal("no", await Store.UpdateAsync(Store.Find(Alice), current => new Change<string>("no", current, Audit: null)));
        Assert.Equal(saved.Version, Store.Find(Alice).Version);
    }

    [Fact]
    public async Task The_sweep_removes_what_expired_and_nothing_else()
    {
        var now = Clock.GetUtcNow();
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

        await new Sweeper(Store, Clock, NullLogger<Sweeper>.Instance).SweepAsync();

        Assert.Equal(0, Find("gone").Version);
        Assert.Equal((null, 3), (Find("guessed").Pending, Find("guessed").EnrollmentGuesses.Failures));
        Assert.NotNull(Find("enabled").InForce);
        Assert.Null(Find("enabled").Pending);
        Assert.NotNull(Find("waiting").Pending);
    }

    [Fact]
    public async Task What_was_saved_is_in_memory_at_once()
    {
        await SaveAsync(Store.Find(Alice), a => a with { InForce = PlainEnrollment() });
        await Store.UpdateAsync(Store.Find(Alice), UseStep(10));
        await ChangeBehindTheBackAsync(a => a with { InForce = a.InForce! with { LastStep = 11 } });

        Assert.Equal(10, (await RecentAsync()).InForce!.LastStep); // the database would say 11
        Assert.Equal(11, Store.Find(Alice).InForce!.LastStep);
    }

    [Fact]
    public async Task A_decision_on_what_is_in_memory_is_made_again_when_another_process_changed_the_account()
    {
        await SaveAsync(Store.Find(Alice), a => a with { InForce = PlainEnrollment() });
        var remembered = await RecentAsync();
        await ChangeBehindTheBackAsync(a => a with { InForce = a.InForce! with { LastStep = 10 } });

        Assert.False(await Store.UpdateAsync(remembered, UseStep(10)));
        Assert.True(await Store.UpdateAsync(await RecentAsync(), UseStep(11)));
        Assert.Equal(11, Store.Find(Alice).InForce!.LastStep);
    }

    [Fact]
    public async Task A_refusal_that_changes_nothing_is_decided_again_when_another_process_lifted_the_lock()
    {
        var locked = new GuessBudget(5, Clock.GetUtcNow().AddHours(1));
        await SaveAsync(Store.Find(Alice), a => a with { InForce = PlainEnrollment(), FactorGuesses = locked });
        var remembered = await RecentAsync();
        await ChangeBehindTheBackAsync(a => a with { FactorGuesses = default });

        var refused = await Store.UpdateAsync(remembered, account => new Change<bool>(
            account.FactorGuesses.IsLocked(Clock.GetUtcNow()), account,
            new AuditEntry(Clock.GetUtcNow(), AuditAct.Verify, AuditCaller.Server, Alice)));

        Assert.False(refused);
    }

    [Fact]
    public async Task What_was_not_committed_is_not_in_memory()
    {
        await SaveAsync(Store.Find(Alice), a => a with { InForce = PlainEnrollment() });
        var account = Store.Find(Alice);

        await Assert.ThrowsAsync<InvalidOperationException>(() => Store.WriteAsync<int>(session =>
        {
            Assert.True(Store.Save(session, account, account with { InForce = account.InForce! with { LastStep = 10 } }));
            throw new InvalidOperationException("not committed");
        }));
        await Store.WriteAsync(_ => true); // a commit after it

        Assert.Equal(0, (await RecentAsync()).InForce!.LastStep);
    }

    private protected static Func<Account, Change<bool>> UseStep(long step) => account => account.InForce!.LastStep < step
        ? new Change<bool>(Answer: true, account with { InForce = account.InForce with { LastStep = step } }, Audit: null)
        : new Change<bool>(Answer: false, account, Audit: null);

    private protected Account Find(string account) => Store.Find(Alice with { Account = account });

    private protected async Task<Account> SaveAsync(Account loaded, Func<Account, Account> change)
    {
        await Store.UpdateAsync(loaded, account => new Change<bool>(Answer: true, change(account) with { Key = account.Key }, Audit: null));
        return Store.Find(loaded.Key);
    }

    private static Enrollment WithoutBytes(Enrollment enrollment) => enrollment with
    {
        Secret = new SealedBytes(Array.Empty<byte>()),
        Email = null,
        Recovery = enrollment.Recovery with { Hashes = Array.Empty<byte>() },
    };

    private protected static Enrollment NewEnrollment(byte[]? email) => new(
        Guid.NewGuid(), Method.Authenticator, new TotpParameters(OtpAlgorithm.Sha256, 8, 60), new SealedBytes([9, 8, 7]), LastStep: 0,
        new RecoverySet(Guid.NewGuid(), KeyId: 0xFEDCBA98, [5, 5], Used: 0b1000_0001, Stale: true), email is null ? null : new SealedBytes(email),
        Spent: new StepRange(3, 9));

    /// <summary>With nothing underway, so that it is kept in memory.</summary>
    private protected static Enrollment PlainEnrollment() => NewEnrollment(email: null) with { OpenCode = null, Spent = null };

    private protected async Task<Account> RecentAsync() => (await Store.FindAsync(Alice, mark: null, recent: true)).Account;

    private protected async Task ChangeBehindTheBackAsync(Func<Account, Account> change)
    {
        using var other = NewOther();
        await other.UpdateAsync(other.Find(Alice), account => new Change<bool>(Answer: true, change(account), Audit: null));
    }
}
