using System.Text;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;
using Mfa.Server.Transfer;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Transfer;

/// <summary>What becomes of accounts: each row whole or not at all, once, and never over something else.</summary>
public sealed class ImporterTests : IAsyncLifetime
{
    private const string Tenant = "shop";

    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
    private DataFolder _data = null!;

    public async ValueTask InitializeAsync() => _data = await DataFolder.OpenAsync(_folder.File("data"), _clock);

    public ValueTask DisposeAsync()
    {
        _data.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_factor_keeps_what_it_was_and_its_owner_is_asked_for_new_recovery_codes()
    {
        await ImportAsync("""{"account":"bob","secret":"GEZDGNBVGY3TQOJQ","algorithm":"SHA256","digits":8,"period":60,"last_step":7,"failures":4,"email":"bob@example.org","locale":"fr","enable_time":"2025-03-04T05:06:07Z"}""");

        var bob = Find("bob");
        var factor = bob.InForce!;
        Assert.Equal((new TotpParameters(OtpAlgorithm.Sha256, 8, 60), 7, "fr", 4), (factor.Totp, factor.LastStep, factor.Locale, bob.FactorGuesses.Failures));
        Assert.Equal(new DateTimeOffset(2025, 3, 4, 5, 6, 7, TimeSpan.Zero), bob.EnableTime);
        Assert.Equal((0, true), (factor.Recovery.Remaining, factor.Recovery.Stale));
        var sealer = new Sealer(_data.Ring);
        using var secret = sealer.OpenSecret(factor.Secret!, Sealer.SecretBinding(bob.Key, factor.Id, factor.Method, factor.Totp));
        Assert.Equal("1234567890", Encoding.ASCII.GetString(secret.Bytes));
        Assert.Equal("bob@example.org", Encoding.ASCII.GetString(sealer.Open(factor.Email!, Sealer.EmailBinding(bob.Key))));
    }

    [Fact]
    public async Task A_second_run_of_the_same_file_changes_nothing()
    {
        const string File = """
            {"account":"alice","secret":"GEZDGNBVGY3TQOJQ"}
            {"account":"carol","method":"EMAIL","email":"carol@example.org"}
            {"account":"dave","method":"SMS","phone":"+14165550123"}
            {"account":"erin","state":"PENDING","secret":"GEZDGNBVGY3TQOJQ"}
            """;
        Assert.Equal(["alice Enabled", "carol Enabled", "dave Enabled", "erin Pending"], await ImportAsync(File));
        var before = State();

        Assert.Equal(["alice Unchanged", "carol Unchanged", "dave Unchanged", "erin Unchanged"], await ImportAsync(File));

        Assert.Equal(before, State());
    }

    [Fact]
    public async Task What_an_account_has_is_never_written_over()
    {
        const string First = """
            {"account":"other","secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}
            {"account":"digits","secret":"GEZDGNBVGY3TQOJQ","digits":8}
            {"account":"mail","method":"EMAIL","email":"mail@example.org"}
            {"account":"address","method":"EMAIL","email":"address@example.org"}
            {"account":"waiting","state":"PENDING","secret":"GEZDGNBVGY3TQOJQ"}
            """;
        await ImportAsync(First);
        await _data.Store.UpdateAsync(Find("off"), a => new Change<bool>(true, a with { DisableTime = _clock.GetUtcNow() }, Audit: null));
        var before = State();

        var told = await ImportAsync("""
            {"account":"other","secret":"GEZDGNBVGY3TQOJQ"}
            {"account":"digits","secret":"GEZDGNBVGY3TQOJQ"}
            {"account":"mail","secret":"GEZDGNBVGY3TQOJQ"}
            {"account":"address","method":"EMAIL","email":"another@example.org"}
            {"account":"waiting","secret":"GEZDGNBVGY3TQOJQ"}
            {"account":"off","secret":"GEZDGNBVGY3TQOJQ"}
            """);

        Assert.Equal(["other Taken", "digits Taken", "mail Taken", "address Taken", "waiting Taken", "off Taken"], told);
        Assert.Equal(before, State());
    }

    [Fact]
    public async Task An_account_twice_in_a_file_counts_once()
    {
        Assert.Equal(
            ["alice Enabled", "alice Broken"],
            await ImportAsync("""
                {"account":"alice","secret":"GEZDGNBVGY3TQOJQ"}
                {"account":"alice","secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}
                """));
        Assert.Equal(new TotpParameters(OtpAlgorithm.Sha1, 6, 30), Find("alice").InForce!.Totp);
    }

    [Fact]
    public async Task The_last_step_may_be_one_that_the_clocks_of_two_servers_explain_and_no_later_one()
    {
        var step = TotpMatch.StepAt(_clock.GetUtcNow(), new TotpParameters(OtpAlgorithm.Sha1, 6, 30));

        Assert.Equal(
            ["near Enabled", "far Broken"],
            await ImportAsync($$"""
                {"account":"near","secret":"GEZDGNBVGY3TQOJQ","last_step":{{step + 3}}}
                {"account":"far","secret":"GEZDGNBVGY3TQOJQ","last_step":{{step + 4}}}
                """));
    }

    [Fact]
    public async Task Recovery_codes_in_this_servers_form_are_accepted_once_each_and_the_missing_ones_never()
    {
        var codes = RecoveryCode.NewSet()[..3];
        await ImportAsync($$"""{"account":"alice","secret":"GEZDGNBVGY3TQOJQ","recovery_codes":[{{string.Join(',', codes.Select(c => $"\"{c.Reveal()}\""))}}]}""");

        var account = Find("alice");
        var hashes = new RecoveryHashes(_data.Ring);
        Assert.Equal((3, false), (account.InForce!.Recovery.Remaining, account.InForce.Recovery.Stale));
        var policies = new Mfa.Server.Flows.GuessOptions().Policies;
        foreach (var code in codes)
        {
            var evidence = hashes.Compare(account.Key, account.InForce!.Recovery, code);
            var check = CodeCheck.OfFactor(account, evidence, policies, _clock.GetUtcNow());
            Assert.Equal(CheckKind.Accepted, check.Kind);
            Assert.NotEqual(CheckKind.Accepted, CodeCheck.OfFactor(check.Next, evidence, policies, _clock.GetUtcNow()).Kind);
        }

        var stranger = hashes.Compare(account.Key, account.InForce.Recovery, RecoveryCode.NewSet()[0]);
        Assert.Equal(CheckKind.Wrong, CodeCheck.OfFactor(account, stranger, policies, _clock.GetUtcNow()).Kind);
    }

    [Fact]
    public async Task Whoever_breaks_off_and_starts_again_loses_nothing_and_doubles_nothing()
    {
        var file = string.Join('\n', Enumerable.Range(0, 300).Select(i => $$"""{"account":"a{{i}}","secret":"{{NewSecret()}}"}"""));
        var rows = (await OpenAsync(file)).Rows;
        using var stop = new CancellationTokenSource();
        var done = 0;
        await Assert.ThrowsAsync<OperationCanceledException>(async () =>
        {
            await foreach (var row in New().RunAsync(rows, () => false, stop.Token))
            {
                Assert.Equal(ImportOutcome.Enabled, row.Outcome);
                if (++done == 100) await stop.CancelAsync();
            }
        });

        var told = await ImportAsync(file);

        Assert.Equal(done, told.Count(row => row.EndsWith(" Unchanged", StringComparison.Ordinal)));
        Assert.Equal(300 - done, told.Count(row => row.EndsWith(" Enabled", StringComparison.Ordinal)));
        Assert.Equal(300, _data.Store.Read(s => (long)s.Command("SELECT count(*) FROM audit").ExecuteScalar()!));
    }

    [Fact]
    public async Task A_dry_run_tells_the_same_and_changes_nothing()
    {
        var file = await Fixtures.OpenAsync(Fixtures.PathOf("accounts.jsonl"), "jsonl");
        var before = State();

        var check = New().Check(file.Rows).ToList();

        Assert.Equal(before, State());
        var run = await New().RunAsync(file.Rows, () => false, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal(check, run);
    }

    [Fact]
    public async Task Only_the_issuer_that_was_asked_for_comes_in_and_all_wait_when_told_so()
    {
        var rows = (await Fixtures.OpenAsync(Fixtures.PathOf("otpauth.txt"), "otpauth")).Rows.Take(3);
        var importer = new Importer(_data.Store, _data.Ring, new ImportOptions(Tenant, "otpauth", "My Shop", AllPending: true), _clock);

        var told = await importer.RunAsync(rows, () => false, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);

        Assert.Equal([ImportOutcome.LeftOut, ImportOutcome.Pending, ImportOutcome.LeftOut], told.Select(row => row.Outcome));
        Assert.Equal((null, _clock.GetUtcNow().AddDays(1)), (Find("bob").InForce, Find("bob").PendingExpireTime));
    }

    [Fact]
    public async Task What_is_exported_comes_in_elsewhere_as_it_was()
    {
        await ImportAsync(await File.ReadAllTextAsync(Fixtures.PathOf("accounts.jsonl"), TestContext.Current.CancellationToken));
        using var exported = new MemoryStream();
        var count = new Exporter(_data.Store, _data.Ring, _clock).Write(exported, "jsonl", Tenant, "Shop", _ => { }, CancellationToken.None);
        var first = Encoding.UTF8.GetString(exported.ToArray());

        using var elsewhere = await DataFolder.OpenAsync(_folder.File("elsewhere"), _clock);
        var importer = new Importer(elsewhere.Store, elsewhere.Ring, new ImportOptions(Tenant, "jsonl", Issuer: null, AllPending: false), _clock);
        var told = await importer.RunAsync((await OpenAsync(first)).Rows, () => false, CancellationToken.None).ToListAsync(TestContext.Current.CancellationToken);
        using var again = new MemoryStream();
        new Exporter(elsewhere.Store, elsewhere.Ring, _clock).Write(again, "jsonl", Tenant, "Shop", _ => { }, CancellationToken.None);

        Assert.Equal((4, 0), (count.Accounts, count.LeftOut)); // who waits for a first code is not in it
        Assert.All(told, row => Assert.Equal(ImportOutcome.Enabled, row.Outcome));
        Assert.Equal(first, Encoding.UTF8.GetString(again.ToArray()));
        Assert.Contains("\"last_step\":28333333", first, StringComparison.Ordinal);
    }

    private Importer New() => new(_data.Store, _data.Ring, new ImportOptions(Tenant, "jsonl", Issuer: null, AllPending: false), _clock);

    private async Task<List<string>> ImportAsync(string file)
    {
        var importer = New();
        var told = await importer.RunAsync((await OpenAsync(file)).Rows, () => false, TestContext.Current.CancellationToken)
            .ToListAsync(TestContext.Current.CancellationToken);
        return told.ConvertAll(row => $"{row.Account} {row.Outcome}");
    }

    private async Task<ForeignFile> OpenAsync(string text)
    {
        var path = _folder.File($"{Guid.NewGuid()}");
        await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
        return await Fixtures.OpenAsync(path, "jsonl");
    }

    private Account Find(string account) => _data.Store.Find(new AccountKey(Tenant, account));

    /// <summary>Everything that an import may change, as the database has it.</summary>
    private string State() => _data.Store.Read(session =>
    {
        var command = session.Command("SELECT (SELECT group_concat(account || version || coalesce(hex(f_secret), '')) FROM accounts) || (SELECT count(*) FROM audit)");
        return command.ExecuteScalar() as string ?? "";
    });

    private static string NewSecret()
    {
        using var secret = OpenSecret.New(20);
        return secret.Reveal();
    }
}
