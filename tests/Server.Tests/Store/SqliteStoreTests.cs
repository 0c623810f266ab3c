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

    private protected override IStore NewOther() => new SqliteStore(_database, _ring, Clock);

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
}
