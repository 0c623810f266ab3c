using System.Net;
using Mfa.EndToEnd.Postgres;
using Mfa.Server.Callers;
using Mfa.Server.Callers.Quotas;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Mfa.Server.Protection;
using Mfa.Server.Store.Postgres;
using Mfa.Server.Tests.Protection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Mfa.Server.Tests.Callers.Quotas;

/// <summary>
/// Servers that count together over a real PostgreSQL. Their clock stands still unless it is moved, but the database's goes on: what
/// one hears is as old as it is, and some of it has come back since.
/// </summary>
public sealed class SharedQuotasTests(PostgresCluster cluster) : IAsyncLifetime
{
    private const int Burst = 100;

    /// <summary>Far more than comes back until one has heard of the other, on a slow machine, too: 8 s of 5 a second.</summary>
    private const int Back = 40;

    private static readonly QuotaOptions Quotas = new()
    {
        Calls = new Rate(PerSecond: 5, Burst),
        Guesses = new Rate(PerSecond: 5, Burst: 50),
        Failures = new Rate(PerSecond: 1, Burst: 60),
    };

    private static readonly SprayOptions Spray = new() { Wrong = 100, Accounts = 20, Total = 1_000 };

    private static readonly Principal Shop = new(CallerKind.Service, "t", "shop", Scopes.Verify) { Peer = IPAddress.Parse("192.0.2.1") };
    private static readonly Principal Bank = new(CallerKind.Service, "t", "bank", Scopes.Verify);
    private static readonly PeerNetwork Somewhere = PeerNetwork.Of(IPAddress.Parse("192.0.2.9"));

    private readonly FakeTimeProvider _clock = new();
    private readonly KeyRing _ring = Rings.New();
    private readonly List<OneServer> _servers = [];
    private string _address = "";
    private int _account;

    public async ValueTask InitializeAsync()
    {
        _address = await cluster.NewDatabaseAsync();
        using var database = new PostgresDatabase(_address);
        database.Migrate(_ring);
    }

    public ValueTask DisposeAsync()
    {
        foreach (var server in _servers) server.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_one_server_let_through_is_gone_on_the_other()
    {
        var (a, b) = (New(), New());
        for (var i = 0; i < 90; i++) a.Calls.TakeCall(Shop);
        for (var i = 0; i < 50; i++) a.Calls.TakeGuess(Shop);
        for (var i = 0; i < 3; i++) a.Failures.CountPassword(Somewhere);

        await ExchangeAsync(a, b);

        Assert.InRange(LetThrough(b, Shop), 10, 10 + Back);
        Assert.InRange(Enumerable.Range(0, 50).Count(_ => b.Calls.TakeGuess(Shop) is null), 0, Back);
        Assert.Equal("failures", b.Failures.BeforePassword(Somewhere)?.Limit);
        Assert.Null(b.Calls.TakeGuess(Bank));
    }

    [Fact]
    public async Task What_was_let_through_too_much_is_owed()
    {
        var all = new[] { New(), New(), New() };
        foreach (var server in all) Assert.Equal(Burst, Enumerable.Range(0, 2 * Burst).Count(_ => server.Calls.TakeCall(Shop) is null));

        await ExchangeAsync(all);

        // Three bursts are gone where there was one: two are owed, and then one call takes a fifth of a second.
        foreach (var server in all) Assert.Equal(TimeSpan.FromSeconds(40.2), server.Calls.TakeCall(Shop)!.Wait);
        _clock.Advance(TimeSpan.FromSeconds(40.2));
        foreach (var server in all) Assert.Null(server.Calls.TakeCall(Shop));
    }

    [Fact]
    public async Task In_the_long_run_three_servers_let_through_what_one_would()
    {
        var all = new[] { New(), New(), New() };
        var let = 0;
        for (var second = 0; second < 120; second++)
        {
            foreach (var server in all)
            {
                while (server.Calls.TakeCall(Shop) is null) let++;
            }

            await ExchangeAsync(all);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        // 120 s of 5 and a burst, and at most what two servers let through too much before they heard of it.
        Assert.InRange(let, 600, 600 + (3 * Burst));
    }

    [Fact]
    public async Task A_spray_over_several_servers_stops_its_caller_on_all_of_them()
    {
        var (a, b, c) = (New(), New(), New());
        Wrong(a, Shop, 60);
        Wrong(b, Shop, 39);
        await ExchangeAsync(a, b, c);
        Assert.Equal(TimeSpan.Zero, c.Spray.WaitOf(Shop));

        Wrong(b, Shop, 1);
        await ExchangeAsync(b, a, c);

        foreach (var server in new[] { a, b, c })
        {
            Assert.InRange(server.Spray.WaitOf(Shop), Spray.Pause - TimeSpan.FromSeconds(30), Spray.Pause);
            Assert.Equal(TimeSpan.Zero, server.Spray.WaitOf(Bank));
        }
    }

    [Fact]
    public async Task Wrong_codes_for_few_accounts_are_no_spray_on_several_servers_either()
    {
        var (a, b) = (New(), New());
        for (var i = 0; i < 500; i++) (i % 2 == 0 ? a : b).Spray.Saw(Shop, new AccountKey("t", $"account-{i % 19}"), CheckKind.Wrong);

        await ExchangeAsync(a, b);

        Assert.Equal(TimeSpan.Zero, a.Spray.WaitOf(Shop));
        Assert.Equal(TimeSpan.Zero, b.Spray.WaitOf(Shop));
    }

    [Fact]
    public async Task Nothing_is_heard_twice()
    {
        var (a, b) = (New(), New());
        for (var i = 0; i < 40; i++) a.Calls.TakeCall(Shop);

        for (var i = 0; i < 5; i++) await ExchangeAsync(a, b);

        Assert.InRange(LetThrough(b, Shop), 60, 60 + Back);
        Assert.Equal(60, LetThrough(a, Shop));
    }

    [Fact]
    public async Task A_server_that_starts_takes_over_what_was_counted_before()
    {
        var before = New();
        for (var i = 0; i < 90; i++) before.Calls.TakeCall(Shop);
        Wrong(before, Bank, 100);
        await before.Shared.StopAsync(TestContext.Current.CancellationToken);

        var after = New();
        await after.Shared.StartAsync(TestContext.Current.CancellationToken);

        Assert.InRange(LetThrough(after, Shop), 10, 10 + Back);
        Assert.InRange(after.Spray.WaitOf(Bank), TimeSpan.FromSeconds(1), Spray.Pause - TimeSpan.FromMilliseconds(1));
        await after.Shared.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task What_could_not_be_told_is_told_later()
    {
        var (a, b) = (New(), New());
        await ExchangeAsync(a, b);
        for (var i = 0; i < 40; i++) a.Calls.TakeCall(Shop);
        await SqlAsync("ALTER TABLE caller_news RENAME TO away");
        await ExchangeAsync(a, b);
        for (var i = 0; i < 40; i++) a.Calls.TakeCall(Shop);
        await ExchangeAsync(a, b);
        Assert.Null(b.Calls.TakeCall(Shop));

        await SqlAsync("ALTER TABLE away RENAME TO caller_news");
        await ExchangeAsync(a, a, b);

        Assert.Equal(19, LetThrough(b, Shop)); // it has taken one itself, now: nothing has come back
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"Taken":null}""")]
    [InlineData("""{"Taken":[null],"Wrong":[{}],"Failed":[{}]}""")]
    [InlineData("""{"Taken":[{"Caller":{"Origin":"service","Tenant":"t","Name":"shop"},"Calls":-1000,"Guesses":-1}],"Later":[1]}""")]
    [InlineData("""{"Wrong":[{"Source":{},"Wrong":-1000,"Accounts":[1]},{"Source":{},"Wrong":2147483647},{"Source":{},"Wrong":2147483647}]}""")]
    public async Task News_of_a_stranger_grant_nothing_and_break_nothing(string news)
    {
        await SqlAsync($"INSERT INTO caller_news VALUES ('x', 1, CAST(extract(epoch FROM now()) * 1000 AS bigint), '{news}')");
        var (a, b) = (New(), New());
        for (var i = 0; i < Burst; i++) b.Calls.TakeCall(Shop);
        for (var i = 0; i < 90; i++) a.Calls.TakeCall(Bank);

        await ExchangeAsync(a, b);

        Assert.NotNull(b.Calls.TakeCall(Shop));
        Assert.InRange(LetThrough(b, Bank), 10, 10 + Back);
        Assert.Equal(TimeSpan.Zero, b.Spray.WaitOf(Shop));
    }

    [Fact]
    public async Task News_are_kept_for_ten_minutes()
    {
        await SqlAsync("INSERT INTO caller_news SELECT 'x', minutes, CAST(extract(epoch FROM now()) * 1000 AS bigint) - minutes * 60000, '{}' FROM generate_series(1, 20) minutes");

        var server = New();
        _clock.Advance(TimeSpan.FromMinutes(2));
        await ExchangeAsync(server);

        Assert.Equal(9L, await SqlAsync("SELECT count(*) FROM caller_news"));
    }

    [Fact]
    public async Task A_database_of_before_gets_the_table_and_a_server_without_callers_writes_nothing()
    {
        await SqlAsync("DROP TABLE caller_news; UPDATE schema_version SET version = 1");
        using (var database = new PostgresDatabase(_address)) Assert.Equal((1, PostgresMigrations.All.Count), database.Migrate(_ring));

        await ExchangeAsync(New(), New());

        Assert.Equal(0L, await SqlAsync("SELECT count(*) FROM caller_news"));
    }

    private OneServer New()
    {
        var server = new OneServer(new PostgresStore(new PostgresDatabase(_address), _ring, _clock), _clock);
        _servers.Add(server);
        return server;
    }

    /// <summary>All of them tell, and then all of them have heard.</summary>
    private static async Task ExchangeAsync(params OneServer[] servers)
    {
        foreach (var server in servers) await server.Shared.ExchangeAsync();
        foreach (var server in servers) await server.Shared.ExchangeAsync();
    }

    private static int LetThrough(OneServer server, Principal caller) => Enumerable.Range(0, Burst).Count(_ => server.Calls.TakeCall(caller) is null);

    private void Wrong(OneServer server, Principal caller, int times)
    {
        for (var i = 0; i < times; i++) server.Spray.Saw(caller, new AccountKey("t", $"account-{_account++}"), CheckKind.Wrong);
    }

    private Task<object?> SqlAsync(string sql) => cluster.RunAsync(new NpgsqlConnectionStringBuilder(_address).Database!, sql);

    private sealed class OneServer : IDisposable
    {
        private readonly PostgresStore _store;
        private readonly Meters _meters = new();

        public OneServer(PostgresStore store, TimeProvider clock)
        {
            _store = store;
            Spray = new SprayGuard(SharedQuotasTests.Spray, clock, _meters, NullLogger<SprayGuard>.Instance);
            Calls = new CallerQuotas(Quotas, Spray, clock, _meters, NullLogger<CallerQuotas>.Instance);
            Failures = new FailedCallers(Quotas, clock, _meters, NullLogger<FailedCallers>.Instance);
            Shared = new SharedQuotas(store, Calls, Failures, Spray, clock, NullLogger<SharedQuotas>.Instance);
        }

        public SprayGuard Spray { get; }

        public CallerQuotas Calls { get; }

        public FailedCallers Failures { get; }

        public SharedQuotas Shared { get; }

        public void Dispose()
        {
            Shared.Dispose();
            _meters.Dispose();
            _store.Dispose();
        }
    }
}
