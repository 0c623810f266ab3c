using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;
using Mfa.Server.Tests.Protection;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Tests.Store;

/// <summary>The contract on a real file, and what is SQLite's alone.</summary>
public sealed class SqliteStoreTests : StoreContract, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Database _database;
    private readonly KeyRing _ring = Rings.New();
    private readonly SqliteStore _store;

    public SqliteStoreTests()
    {
        _database = new Database(_folder.File("mfa.db"));
        _database.Create(_ring);
        _store = new SqliteStore(_database, _ring, Clock, cacheMebibytes: 1);
    }

    private protected override IStore Store => _store;

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
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
    public async Task What_was_saved_is_in_memory_at_once()
    {
        await SaveAsync(_store.Find(Alice), a => a with { InForce = PlainEnrollment() });
        await _store.UpdateAsync(_store.Find(Alice), UseStep(10));
        await ChangeBehindTheBackAsync(a => a with { InForce = a.InForce! with { LastStep = 11 } });

        Assert.Equal(10, (await RecentAsync()).InForce!.LastStep); // the database would say 11
        Assert.Equal(11, _store.Find(Alice).InForce!.LastStep);
    }

    [Fact]
    public async Task A_decision_on_what_is_in_memory_is_made_again_when_another_process_changed_the_account()
    {
        await SaveAsync(_store.Find(Alice), a => a with { InForce = PlainEnrollment() });
        var remembered = await RecentAsync();
        await ChangeBehindTheBackAsync(a => a with { InForce = a.InForce! with { LastStep = 10 } });

        Assert.False(await _store.UpdateAsync(remembered, UseStep(10)));
        Assert.True(await _store.UpdateAsync(await RecentAsync(), UseStep(11)));
        Assert.Equal(11, _store.Find(Alice).InForce!.LastStep);
    }

    [Fact]
    public async Task A_refusal_that_changes_nothing_is_decided_again_when_another_process_lifted_the_lock()
    {
        var locked = new GuessBudget(5, Clock.GetUtcNow().AddHours(1));
        await SaveAsync(_store.Find(Alice), a => a with { InForce = PlainEnrollment(), FactorGuesses = locked });
        var remembered = await RecentAsync();
        await ChangeBehindTheBackAsync(a => a with { FactorGuesses = default });

        var refused = await _store.UpdateAsync(remembered, account => new Change<bool>(
            account.FactorGuesses.IsLocked(Clock.GetUtcNow()), account,
            new AuditEntry(Clock.GetUtcNow(), AuditAct.Verify, AuditCaller.Server, Alice)));

        Assert.False(refused);
    }

    [Fact]
    public async Task What_was_not_committed_is_not_in_memory()
    {
        await SaveAsync(_store.Find(Alice), a => a with { InForce = PlainEnrollment() });
        var account = _store.Find(Alice);

        await Assert.ThrowsAsync<InvalidOperationException>(() => _store.WriteAsync<int>(session =>
        {
            Assert.True(_store.Save(session, account, account with { InForce = account.InForce! with { LastStep = 10 } }));
            throw new InvalidOperationException("not committed");
        }));
        await _store.WriteAsync(_ => true); // a commit after it

        Assert.Equal(0, (await RecentAsync()).InForce!.LastStep);
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
    public void A_newer_schema_is_refused()
    {
        using (var connection = _database.Open()) Database.Execute(connection, "PRAGMA user_version = 999");

        Assert.Contains("newer version", Assert.Throws<StartRefusedException>(() => _database.Migrate(Rings.New())).Message);
    }

    private static object? Pragma(SqliteConnection connection, string name)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // names of this file
        command.CommandText = $"PRAGMA {name}";
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }

    /// <summary>With nothing underway, so that it is kept in memory.</summary>
    private static Enrollment PlainEnrollment() => NewEnrollment(email: null) with { OpenCode = null, Spent = null };

    private async Task<Account> RecentAsync() => (await _store.FindAsync(Alice, mark: null, recent: true)).Account;

    private async Task ChangeBehindTheBackAsync(Func<Account, Account> change)
    {
        using var other = new SqliteStore(_database, _ring, Clock);
        await other.UpdateAsync(other.Find(Alice), account => new Change<bool>(Answer: true, change(account), Audit: null));
    }
}
