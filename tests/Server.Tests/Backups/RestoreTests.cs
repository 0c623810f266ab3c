using Mfa.Server.Backups;
using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;
using Mfa.Server.Tests.Protection;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Backups;

/// <summary>What a restore must not bring back, what it takes over from the database it replaces, and what a crash in it leaves.</summary>
public sealed class RestoreTests : IDisposable
{
    private static readonly RestoreOptions Replacing = new(Replace: true, IgnoreReplaced: false, KeepRecoveryCodes: false, RevokeKeys: false);
    private static readonly AccountKey Alice = new(Principal.DefaultTenant, "alice");

    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));

    private string Data => _folder.File("data");

    private string BackupPath => _folder.File("backup");

    private long Step => _clock.GetUtcNow().ToUnixTimeSeconds() / 30;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_lived_for_minutes_is_void_and_every_code_up_to_now_is_used_up()
    {
        var now = _clock.GetUtcNow();
        long version = 0;
        await LiveAsync(async data =>
        {
            await SaveAsync(data, Alice, account => account with
            {
                InForce = NewFactor(lastStep: 5) with { OpenCode = new SentCode(Guid.NewGuid(), 1, [1], now.AddMinutes(5), 0) },
                Pending = NewFactor(),
                PendingExpireTime = now.AddHours(1),
                DisableToken = new DisableToken([1], Guid.NewGuid(), now.AddMinutes(15)),
                EnrollmentGuesses = new GuessBudget(3, null),
            });
            version = data.Store.Find(Alice).Version;
            var mark = new RequestMark(Alice, "service:a", Guid.NewGuid(), [1], now.AddMinutes(10));
            await data.Store.WriteAsync(session =>
            {
                OutboxRows.Add(session, new OutboxMessage(Alice, Guid.NewGuid(), Channel.Email, new SealedBytes([1]), now, now.AddMinutes(5)));
                AnswerRows.Save(session, mark, [1], now);
                return true;
            });
        });
        BackUp();
        Assert.Equal(0L, Count(BackupPath, "outbox") + Count(BackupPath, "answers")); // not even in the backup
        DeleteDatabase();
        _clock.Advance(TimeSpan.FromMinutes(1));

        var report = Restore(Replacing with { Replace = false });

        Assert.Equal((null, 1), (report.Aside, report.StaleAccounts));
        await LiveAsync(data =>
        {
            var account = data.Store.Find(Alice);
            Assert.Equal((null, null, null, null), (account.Pending, account.PendingExpireTime, account.DisableToken, account.InForce!.OpenCode));
            Assert.Equal(Step + 2, account.InForce.LastStep);
            Assert.Equal((true, 0), (account.InForce.Recovery.Stale, account.InForce.Recovery.Remaining));
            Assert.Equal(3, account.EnrollmentGuesses.Failures);
            Assert.True(account.Version > version + int.MaxValue);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Recovery_codes_are_kept_when_the_operator_says_so_and_stay_flagged()
    {
        await LiveAsync(data => SaveAsync(data, Alice, account => account with { InForce = NewFactor(used: 0b11) }));
        BackUp();
        DeleteDatabase();

        Restore(Replacing with { KeepRecoveryCodes = true });

        await LiveAsync(data =>
        {
            var set = data.Store.Find(Alice).InForce!.Recovery;
            Assert.Equal((true, 6), (set.Stale, set.Remaining));
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task The_replaced_database_has_the_last_word_on_keys_people_and_used_codes()
    {
        var (replaced, off) = (Alice with { Account = "replaced" }, Alice with { Account = "off" });
        var enrolled = Alice with { Account = "enrolled" };
        await LiveAsync(async data =>
        {
            var keys = new ApiKeys(data.Store, _clock);
            await keys.CreateAsync("kept", "t", Scopes.Verify);
            await keys.CreateAsync("revoked", "t", Scopes.Verify);
            foreach (var name in new[] { "stays", "changes", "leaves" }) await People(data).AddAsync(name, Address, phone: null, Password(1));
            await SaveAsync(data, Alice, account => account with { InForce = NewFactor(lastStep: 5) });
            await SaveAsync(data, replaced, account => account with { InForce = NewFactor() });
            await SaveAsync(data, off, account => account with { InForce = NewFactor() });
        });
        BackUp();
        _clock.Advance(TimeSpan.FromHours(1));
        Guid newer = default;
        await LiveAsync(async data =>
        {
            var keys = new ApiKeys(data.Store, _clock);
            await keys.RevokeAsync("revoked");
            await keys.CreateAsync("later", "t", Scopes.Verify);
            await People(data).SetPasswordAsync("changes", Password(2));
            await People(data).RemoveAsync("leaves");
            await People(data).AddAsync("joins", Address, phone: null, Password(1));
            await SaveAsync(data, Alice, account => account with
            {
                InForce = account.InForce! with { LastStep = Step + 1, Recovery = account.InForce.Recovery.With(3) },
                FactorGuesses = new GuessBudget(4, null),
            });
            await SaveAsync(data, replaced, account => account with { InForce = NewFactor() });
            newer = data.Store.Find(replaced).InForce!.Id;
            await SaveAsync(data, off, account => new Account(off) { Version = account.Version, DisableTime = _clock.GetUtcNow(), EnrollmentGuesses = new GuessBudget(2, null) });
            await SaveAsync(data, enrolled, account => account with { InForce = NewFactor() });
        });

        var report = Restore(Replacing);

        Assert.Null(report.NothingBecause);
        var kept = report.CarriedOver!;
        Assert.Equal((1, 1), (kept.RevokedKeys, kept.OnAgain));
        Assert.Equal(["leaves"], kept.RemovedPeople);
        Assert.Equal("later joins", $"{string.Join(",", kept.LostKeys)} {string.Join(",", kept.LostPeople)}");
        Assert.Equal(["kept"], report.KeysInForce);
        Assert.True(File.Exists(report.Aside));
        await LiveAsync(data =>
        {
            var alice = data.Store.Find(Alice);
            Assert.Equal((4, false, 7), (alice.FactorGuesses.Failures, alice.InForce!.Recovery.Stale, alice.InForce.Recovery.Remaining));
            Assert.Equal(Step + 2, alice.InForce.LastStep);
            Assert.Equal(newer, data.Store.Find(replaced).InForce!.Id);
            Assert.NotNull(data.Store.Find(enrolled).InForce);
            var again = data.Store.Find(off);
            Assert.Equal((true, 0, 2), (again.InForce!.Recovery.Stale, again.InForce.Recovery.Remaining, again.EnrollmentGuesses.Failures));
            Assert.Equal(["changes", "stays"], People(data).List().Select(person => person.Name));
            Assert.Equal(2, People(data).FindPassword("changes")!.Hash.Salt[0]);
            return Task.CompletedTask;
        });
    }

    [Theory]
    [InlineData("ignored")]
    [InlineData("another")]
    [InlineData("damaged")]
    public async Task Of_a_database_that_is_not_to_be_believed_nothing_is_taken_over(string what)
    {
        await LiveAsync(async data =>
        {
            await new ApiKeys(data.Store, _clock).CreateAsync("revoked", "t", Scopes.Verify);
            await SaveAsync(data, Alice, account => account with { InForce = NewFactor() });
        });
        BackUp();
        if (what == "another") DeleteDatabase();
        await LiveAsync(data => new ApiKeys(data.Store, _clock).RevokeAsync("revoked"), beginEmpty: what == "another");
        if (what == "damaged") Overwrite(Path.Combine(Data, "mfa.db"));

        var report = Restore(Replacing with { IgnoreReplaced = what == "ignored", RevokeKeys = what == "damaged" });

        Assert.NotNull(report.NothingBecause);
        Assert.Equal(what == "damaged" ? [] : ["revoked"], report.KeysInForce);
        Assert.True(File.Exists(report.Aside));
        await LiveAsync(data =>
        {
            Assert.True(data.Store.Find(Alice).InForce!.Recovery.Stale);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task A_database_is_not_replaced_unasked_and_a_served_folder_not_at_all()
    {
        await LiveAsync(data => SaveAsync(data, Alice, account => account with { InForce = NewFactor() }));
        BackUp();

        Assert.Contains("--replace", Assert.Throws<StartRefusedException>(() => Restore(Replacing with { Replace = false })).Message);
        using (await DataFolder.OpenAsync(Data, _clock, alone: true))
            Assert.Contains("serving", Assert.Throws<StartRefusedException>(() => Restore(Replacing)).Message);
        Assert.Equal(["keys.json", "mfa.db", "serve.lock"], Directory.GetFiles(Data).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_crash_in_the_switch_is_finished_by_whoever_opens_the_folder_next(int moved)
    {
        await LiveAsync(data => SaveAsync(data, Alice, account => account with { InForce = NewFactor(lastStep: 1) }));
        var live = Path.Combine(Data, "mfa.db");
        File.Copy(live, FolderSwitch.PreparedPath(Data)); // the state before
        await LiveAsync(async data =>
        {
            await SaveAsync(data, Alice, account => account with { InForce = account.InForce! with { LastStep = 2 } });
            // As a crash leaves it: with a log that SQLite would play into any database of this name.
            foreach (var part in new[] { "", "-wal" }) File.Copy(live + part, Path.Combine(_folder.Path, "crashed" + part));
        });
        foreach (var part in new[] { "", "-wal" }) File.Move(Path.Combine(_folder.Path, "crashed" + part), live + part, overwrite: true);
        Assert.True(new FileInfo(live + "-wal").Length > 0);

        FolderSwitch.Commit(Data);
        var time = File.GetLastWriteTimeUtc(live + ".restored").ToString("yyyyMMdd'T'HHmmss'Z'");
        string[] order = ["-wal", ""];
        foreach (var part in order.Take(moved)) File.Move(live + part, $"{live}.before-restore-{time}{part}");
        if (moved == 3) File.Move($"{live}.restored", live);

        await LiveAsync(data =>
        {
            Assert.Equal(1, data.Store.Find(Alice).InForce!.LastStep);
            return Task.CompletedTask;
        });
        using var old = new SqliteStore(new Database($"{live}.before-restore-{time}"), Rings.New(), _clock);
        Assert.Equal(2, old.Find(Alice).InForce!.LastStep);
    }

    /// <summary>Opens the folder as a server does, and closes it.</summary>
    private async Task LiveAsync(Func<DataFolder, Task> act, bool beginEmpty = false)
    {
        using var data = await DataFolder.OpenAsync(Data, _clock, beginEmpty: beginEmpty);
        await act(data);
    }

    private void BackUp()
    {
        var ring = KeyRingFile.Load(Path.Combine(Data, "keys.json"));
        Backup.Make(new Database(Path.Combine(Data, "mfa.db")), ring, BackupPath, _clock.GetUtcNow(), new Progress("test"));
    }

    private RestoreReport Restore(RestoreOptions options) => DataFolder.Alone(Data, (folder, ring) =>
        new Restore(folder, ring, options, _clock.GetUtcNow(), new Progress("test")).Run(BackupPath));

    private void DeleteDatabase()
    {
        foreach (var file in Directory.GetFiles(Data, "mfa.db*")) File.Delete(file);
    }

    private static void Overwrite(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes.AsSpan(4096).Fill(0xAA);
        File.WriteAllBytes(path, bytes);
    }

    private static long Count(string path, string table)
    {
        using var session = new Session(DatabaseCopy.OpenAlone(path));
#pragma warning disable CA2100 // names of this file
        return (long)session.Command($"SELECT count(*) FROM {table}").ExecuteScalar()!;
#pragma warning restore CA2100
    }

    private static async Task<bool> SaveAsync(DataFolder data, AccountKey key, Func<Account, Account> change) =>
        await data.Store.UpdateAsync(data.Store.Find(key), account => new Change<bool>(Answer: true, change(account), Audit: null));

    private UserDirectory People(DataFolder data) => new(data.Store, new Sealer(data.Ring), _clock);

    private static EmailAddress Address => EmailAddress.Parse("jane@example.org")!;

    private static PasswordHash Password(byte salt) => new(1, 210_000, [salt], [1]);

    private static Enrollment NewFactor(long lastStep = 0, byte used = 0) => new(
        Guid.NewGuid(), Method.Authenticator, new TotpParameters(OtpAlgorithm.Sha1, 6, 30), new SealedBytes([9]), lastStep,
        new RecoverySet(Guid.NewGuid(), KeyId: 1, new byte[128], used), Email: null);
}
