using Mfa.EndToEnd.Postgres;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;
using Mfa.Server.Store.Postgres;
using Mfa.Server.Tests.Protection;
using Npgsql;

namespace Mfa.Server.Tests.Store;

/// <summary>The contract on a real PostgreSQL, and what is PostgreSQL's alone.</summary>
public sealed class PostgresStoreTests(PostgresCluster cluster) : StoreContract, IAsyncLifetime
{
    private readonly KeyRing _ring = Rings.New();
    private string _address = "";
    private PostgresStore? _store;

    private protected override IStore Store => _store!;

    private protected override IStore NewOther() => Open();

    public async ValueTask InitializeAsync()
    {
        _address = await cluster.NewDatabaseAsync();
        _store = Open(migrate: true);
    }

    public ValueTask DisposeAsync()
    {
        _store?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Of_decisions_of_two_servers_on_one_state_exactly_one_is_saved()
    {
        using var other = Open();
        await SaveAsync(Store.Find(Alice), a => a with { InForce = NewEnrollment(email: null) });
        for (var step = 1; step <= 20; step++)
        {
            var loaded = Store.Find(Alice);

            var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => (i % 2 == 0 ? Store : other).UpdateAsync(loaded, UseStep(step))));

            Assert.Single(answers, accepted => accepted);
        }
    }

    [Fact]
    public async Task After_another_server_changed_an_account_all_are_read_again_for_a_minute()
    {
        var bob = Alice with { Account = "bob" };
        await SaveAsync(Store.Find(Alice), a => a with { InForce = PlainEnrollment() });
        await SaveAsync(Store.Find(bob), a => a with { InForce = PlainEnrollment() });
        var remembered = await RecentAsync();
        await ChangeBehindTheBackAsync(a => a with { InForce = a.InForce! with { LastStep = 10 } });
        Assert.False(await Store.UpdateAsync(remembered, UseStep(10)));
        using (var other = Open()) await other.UpdateAsync(other.Find(bob), UseStep(7));

        Assert.Equal(7, await RecentStepAsync(bob));
        using (var other = Open()) await other.UpdateAsync(other.Find(bob), UseStep(8));
        Clock.Advance(RecentAccounts.Rest);

        Assert.Equal(7, await RecentStepAsync(bob)); // out of memory again
        Assert.True(await Store.UpdateAsync((await Store.FindAsync(bob, mark: null, recent: true)).Account, UseStep(9)));
    }

    [Fact]
    public async Task Callers_of_one_server_who_race_for_an_account_are_no_reason_to_read_it_again()
    {
        await SaveAsync(Store.Find(Alice), a => a with { InForce = PlainEnrollment() });
        var loaded = await RecentAsync();
        for (var step = 1; step <= 5; step++) await Store.UpdateAsync(loaded, UseStep(step)); // each decides on an older state

        await ChangeBehindTheBackAsync(a => a with { InForce = a.InForce! with { LastStep = 99 } });

        Assert.Equal(5, (await RecentAsync()).InForce!.LastStep);
    }

    /// <summary>As after a failover to a standby that has not got the last commits.</summary>
    [Fact]
    public async Task A_state_that_the_database_lost_is_not_taken_for_the_one_in_its_place()
    {
        await SaveAsync(Store.Find(Alice), a => a with { InForce = PlainEnrollment() });
        var database = new NpgsqlConnectionStringBuilder(_address).Database!;
        await cluster.RunAsync(database, "CREATE TABLE before AS SELECT * FROM accounts");
        Assert.True(await Store.UpdateAsync(await RecentAsync(), UseStep(10)));
        await cluster.RunAsync(database, "DELETE FROM accounts; INSERT INTO accounts SELECT * FROM before");
        await ChangeBehindTheBackAsync(a => a with { InForce = a.InForce! with { LastStep = 11 } });

        Assert.False(await Store.UpdateAsync(await RecentAsync(), UseStep(11)));

        Assert.Equal(11, Store.Find(Alice).InForce!.LastStep);
        Clock.Advance(RecentAccounts.Rest);
        Assert.Equal(11, (await RecentAsync()).InForce!.LastStep);
    }

    [Fact]
    public async Task A_limit_of_messages_holds_for_all_servers_together()
    {
        using var other = Open();
        var limit = new SendLimit("account", [1], TimeSpan.FromHours(1), Most: 3, TimeSpan.Zero);

        var sent = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Send(i % 2 == 0 ? Store : other, $"account-{i}", limit)));

        Assert.Equal(3, sent.Count(passed => passed));
        Assert.Equal(3, Store.Read(session => OutboxRows.Claim(session, Channel.Email, 100, Clock.GetUtcNow(), TimeSpan.FromMinutes(2))).Count);
    }

    [Fact]
    public async Task A_message_is_taken_on_by_one_of_two_servers()
    {
        using var other = Open();
        for (var i = 0; i < 20; i++) await Send(Store, $"account-{i}", new SendLimit("none", [(byte)i], TimeSpan.FromHours(1), 1, TimeSpan.Zero));

        var claims = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? Store : other)
            .WriteAsync(session => OutboxRows.Claim(session, Channel.Email, 5, Clock.GetUtcNow(), TimeSpan.FromMinutes(2)))));

        var ids = claims.SelectMany(claim => claim).Select(message => message.Id).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Equal(20, ids.Count + (await Store.WriteAsync(session => OutboxRows.Claim(session, Channel.Email, 100, Clock.GetUtcNow(), TimeSpan.FromMinutes(2)))).Count);
    }

    [Theory]
    [InlineData("DELETE FROM audit WHERE seq = 2", "missing")]
    [InlineData("UPDATE audit SET outcome = outcome + 1 WHERE seq = 2", "altered")]
    [InlineData("UPDATE audit SET account = 'bob' WHERE seq = 2", "altered")]
    [InlineData("DELETE FROM audit WHERE seq = 3", "missing, and all that followed")]
    [InlineData("UPDATE audit_head SET seq = 2 WHERE chain > 0", "altered")]
    [InlineData("DELETE FROM audit_head WHERE chain = 1", "the whole chain is missing")]
    [InlineData("DELETE FROM audit_head WHERE chain = 0", "register")]
    [InlineData("UPDATE audit_checkpoints SET time = time + 1", "checkpoint 1 was altered")]
    public async Task Whoever_writes_to_the_database_alone_cannot_change_the_trail_unseen(string tampering, string told)
    {
        for (var i = 0; i < 3; i++) await Store.AuditAsync(Entry("alice"));
        Assert.Single((await Store.Trail.MarkAsync()).Checkpoints);
        Assert.Empty(Store.Trail.Verify(after: null, outside: null, _ => { }).Damage);

        await cluster.RunAsync(new NpgsqlConnectionStringBuilder(_address).Database!, tampering);

        Assert.Contains(Store.Trail.Verify(after: null, outside: null, _ => { }).Damage, damage => damage.What.Contains(told, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_chain_whose_head_was_altered_is_not_signed_over_and_the_next_row_says_so()
    {
        await Store.AuditAsync(Entry("alice"));
        _store!.Dispose();
        await cluster.RunAsync(new NpgsqlConnectionStringBuilder(_address).Database!, "UPDATE audit_head SET hash = mac WHERE chain > 0");
        _store = Open();

        await Store.AuditAsync(Entry("alice"));

        Assert.True((await Store.Trail.MarkAsync()).Broken);
        Assert.Contains(Store.Trail.Find(new AuditFilter(), 10), row => row.Act == AuditAct.TrailBroken);
    }

    [Fact]
    public async Task Chains_are_gone_on_with_by_the_next_server_and_old_rows_are_removed_behind_their_checkpoint()
    {
        await Store.AuditAsync(Entry("alice"));
        _store!.Dispose();
        _store = Open();
        await Store.AuditAsync(Entry("alice"));
        var mark = Assert.Single((await Store.Trail.MarkAsync()).Checkpoints);
        Assert.Equal(2, mark.Seq);
        Clock.Advance(TimeSpan.FromDays(2));
        await Store.AuditAsync(Entry("alice"));

        Assert.True(await Store.Trail.RemoveOldAsync(Clock.GetUtcNow().AddDays(-1), most: 100));
        Assert.False(await Store.Trail.RemoveOldAsync(Clock.GetUtcNow().AddDays(-1), most: 100));

        await Store.AuditAsync(Entry("alice"));
        Assert.Equal(2, Store.Trail.Find(new AuditFilter(Account: Alice), 10).Count);
        var report = Store.Trail.Verify(after: null, outside: null, _ => { });
        Assert.Empty(report.Damage);
        Assert.Equal((2, 2), (report.Chains, report.Last)); // the writer that removes has a chain, too
        Assert.Empty(Store.Trail.Verify(after: null, outside: (await Store.Trail.MarkAsync()).Checkpoints[0], _ => { }).Damage);
    }

    [Fact]
    public async Task A_newer_schema_is_refused()
    {
        await cluster.RunAsync(new NpgsqlConnectionStringBuilder(_address).Database!, "UPDATE schema_version SET version = 999");

        Assert.Contains("newer version", Assert.Throws<StartRefusedException>(() => Open(migrate: true)).Message);
    }

    private Task<bool> Send(IStore store, string account, SendLimit limit)
    {
        var key = new AccountKey("default", account);
        var message = new OutboxMessage(key, Guid.NewGuid(), Channel.Email, new SealedBytes([1]), Clock.GetUtcNow(), Clock.GetUtcNow().AddMinutes(5));
        var send = new Send<bool>([message], [limit], _ => false);
        return store.UpdateAsync(new Account(key), loaded => new Change<bool>(Answer: true, loaded with { DisableTime = Clock.GetUtcNow() }, Entry(account), send));
    }

    private async Task<long> RecentStepAsync(AccountKey key) => (await Store.FindAsync(key, mark: null, recent: true)).Account.InForce!.LastStep;

    private AuditEntry Entry(string account) => new AuditEntry(Clock.GetUtcNow(), AuditAct.Verify, new AuditCaller("service:a"), new AccountKey("default", account)).Done(ProvenBy.Email);

    private PostgresStore Open(bool migrate = false)
    {
        var database = new PostgresDatabase(_address);
        if (migrate) database.Migrate(_ring);
        return new PostgresStore(database, _ring, Clock, cacheMebibytes: 1);
    }
}
