using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Microsoft.Data.Sqlite;

namespace Mfa.EndToEnd.Doctor;

/// <summary>The doctor on a data folder: finds what is wrong, says what to do, and leaves everything as it was.</summary>
public sealed class FolderTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TempFolder _folder = new();

    private string Data => _folder["data"];

    private string Database => _folder["data/mfa.db"];

    private string Ring => _folder["data/keys.json"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_good_folder_passes_and_stays_as_it_is()
    {
        await FillAsync();
        var before = Examination.Snapshot(Data);

        var doctor = await ExamineAsync();

        Assert.Equal(0, doctor.ExitCode);
        Assert.Equal(
            [
                "settings", "data folder", "files", "development", "key ring", "database", "schema", "journal", "keys of database", "disk space",
                "serving", "listeners", "clock", "marks of time", "message texts", "providers",
            ],
            doctor.Findings.Select(finding => finding.Name));
        Assert.Equal(["clock", "providers"], doctor.Findings.Where(finding => finding.State != "OK").Select(finding => finding.Name));
        Assert.Contains("no reference", doctor["clock"].Detail, StringComparison.Ordinal);
        Assert.Equal(before, Examination.Snapshot(Data));
    }

    [Fact]
    public async Task A_person_gets_one_line_for_each_check()
    {
        await FillAsync();
        File.SetUnixFileMode(Ring, OwnerOnly | UnixFileMode.OtherRead);
        var start = ServerProgram.Command("doctor", "--data", Data);
        start.WorkingDirectory = _folder.Path;

        var ended = await OutsideProgram.RunAsync(start, []);

        var lines = ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((1, 16), (ended.ExitCode, lines.Length));
        Assert.All(lines, line => Assert.Matches("^(OK   |WARN |FAIL ) [a-z]", line));
        var line = Assert.Single(lines, line => line.Contains(" key ring ", StringComparison.Ordinal));
        Assert.StartsWith("FAIL", line, StringComparison.Ordinal);
        Assert.Contains($"Run: chmod 600 {Ring}", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_works_beside_a_server_and_on_what_a_killed_one_left()
    {
        await using var server = await ServerProcess.StartAsync();
        await Owner.AssertServedAsync(server.Dev);
        string[] options = ["--dev", "--data", server.Data];

        var beside = await Examination.OfAsync(_folder.Path, options);
        await Owner.AssertServedAsync(server.Dev);
        await server.KillAsync();
        var before = Examination.Snapshot(server.Data);
        var after = await Examination.OfAsync(_folder.Path, options);

        Assert.Equal((0, 0), (beside.ExitCode, after.ExitCode));
        Assert.Equal("a server is serving this folder.", beside["serving"].Detail);
        Assert.Equal("no server is serving this folder.", after["serving"].Detail);
        Assert.Equal(before, Examination.Snapshot(server.Data));
        await server.StartAgainAsync();
        await Owner.AssertServedAsync(server.Dev);
    }

    [Fact]
    public async Task A_log_without_its_index_is_left_to_the_server()
    {
        await using var server = await ServerProcess.StartAsync();
        await Owner.AssertServedAsync(server.Dev);
        await server.KillAsync();
        File.Delete($"{server.Database}-shm"); // as after a copy by hand
        var before = Examination.Snapshot(server.Data);

        var doctor = await Examination.OfAsync(_folder.Path, ["--dev", "--data", server.Data]);

        Assert.Equal("WARN", doctor["database"].State);
        Assert.Equal(before, Examination.Snapshot(server.Data));
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_not_made()
    {
        var doctor = await ExamineAsync();

        Assert.Equal(["data folder"], doctor.Failing);
        Assert.Contains($"mfa-server init --data {Data}", doctor["data folder"].Remedy, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Data));
    }

    [Theory]
    [InlineData("data", UnixFileMode.GroupExecute, "data folder", "chmod 700")] // SE10
    [InlineData("data", UnixFileMode.OtherRead, "data folder", "chmod 700")]
    [InlineData("data/mfa.db", UnixFileMode.GroupRead, "files", "chmod go=")]
    [InlineData("data/mfa.db", UnixFileMode.OtherWrite, "files", "chmod go=")]
    [InlineData("data/keys.json", UnixFileMode.OtherRead, "files,key ring,keys of database", "chmod")]
    public async Task A_mode_that_lets_others_in(string name, UnixFileMode others, string failing, string remedy)
    {
        await FillAsync();
        var path = _folder[name];
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | others);

        var doctor = await ExamineAsync();

        Assert.Equal(failing, string.Join(',', doctor.Failing));
        Assert.Contains(path, doctor[doctor.Failing.First()].Detail, StringComparison.Ordinal);
        Assert.Contains(remedy, doctor[doctor.Failing.First()].Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_ring_that_is_gone_damaged_or_another_one() // CF1, CF6
    {
        await FillAsync();
        var good = await File.ReadAllTextAsync(Ring, TestContext.Current.CancellationToken);
        var key = good.Split('"').Single(word => word.Length == 44);

        foreach (var damaged in new[] { "{}", good.Replace(key, Convert.ToBase64String(new byte[32]), StringComparison.Ordinal), good.Replace(key, "AAAA", StringComparison.Ordinal) })
        {
            await File.WriteAllTextAsync(Ring, damaged, TestContext.Current.CancellationToken);
            var doctor = await ExamineAsync();
            Assert.Equal(["key ring", "keys of database"], doctor.Failing);
            Assert.DoesNotContain(key[..20], doctor.Output, StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync(Ring, good.Replace(key, Convert.ToBase64String("0123456789abcdef0123456789abcdef"u8), StringComparison.Ordinal), TestContext.Current.CancellationToken);
        var other = await ExamineAsync();
        Assert.Equal(["keys of database"], other.Failing);
        Assert.Contains("Put the right file back", other["keys of database"].Remedy, StringComparison.Ordinal);

        File.Delete(Ring);
        Assert.Equal(["key ring", "keys of database"], (await ExamineAsync()).Failing);
        Assert.False(File.Exists(Ring));
    }

    [Fact]
    public async Task A_database_that_is_damaged_or_of_another_version()
    {
        await FillAsync();
        var good = await File.ReadAllBytesAsync(Database, TestContext.Current.CancellationToken);

        var holed = good.ToArray();
        holed.AsSpan(good.Length / 2).Fill(0xAA);
        foreach (var damaged in new[] { holed, good[..5000], new byte[8192] })
        {
            await File.WriteAllBytesAsync(Database, damaged, TestContext.Current.CancellationToken);
            Assert.Contains("database", (await ExamineAsync()).Failing);
        }

        await File.WriteAllBytesAsync(Database, good, TestContext.Current.CancellationToken);
        Execute("PRAGMA user_version = 999");
        Assert.Equal(["schema"], (await ExamineAsync()).Failing);
        Execute("PRAGMA user_version = 1");
        var older = await ExamineAsync();
        Assert.Equal((0, "WARN"), (older.ExitCode, older["schema"].State));
        Execute("PRAGMA journal_mode = DELETE");
        Assert.Equal("WARN", (await ExamineAsync())["journal"].State);
    }

    [Fact]
    public async Task What_a_clock_that_was_ahead_has_left_is_found_and_can_be_repaired()
    {
        await FillAsync();
        Execute("UPDATE database_state SET mark = mark + 86400000");

        var ahead = await ExamineAsync();
        Assert.Equal(["marks of time"], ahead.Failing);
        Assert.Contains("mfa-server clock repair --yes", ahead["marks of time"].Remedy, StringComparison.Ordinal);

        Assert.Equal(0, (await ServerProgram.RunAsync("clock", "repair", "--yes", "--data", Data)).ExitCode);
        Assert.Empty((await ExamineAsync()).Failing);
    }

    [Fact]
    public async Task A_database_that_is_gone_is_not_taken_for_one_that_comes_with_the_first_start()
    {
        await FillAsync();
        foreach (var file in Directory.GetFiles(Data, "mfa.db*")) File.Delete(file);

        var lost = await ExamineAsync();

        Assert.Contains("database", lost.Failing);
        Assert.Contains("mfa-server restore", lost["database"].Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lock_that_the_server_was_told_to_allow_is_not_too_long()
    {
        await FillAsync();
        Execute("""
            INSERT INTO accounts (tenant, account, version, factor_failures, factor_locked_until, enrollment_failures, recovery_failures)
            VALUES ('t', 'a', 1, 50, unixepoch() * 1000 + 36000000, 0, 0)
            """);
        string[] status = ["clock", "status", "--data", Data];
        string[] repair = ["clock", "repair", "--yes", "--data", Data];
        string[] allowed = ["--set", "guesses:longestLockSeconds=86400"];

        Assert.Equal((1, 0), ((await ServerProgram.RunAsync(status)).ExitCode, (await ServerProgram.RunAsync([.. status, .. allowed])).ExitCode));
        Assert.Contains("nothing to repair", (await ServerProgram.RunAsync([.. repair, .. allowed])).Errors, StringComparison.Ordinal);
        Assert.Contains("1 locks are cut", (await ServerProgram.RunAsync(repair)).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_development_server_has_left()
    {
        await using var server = await ServerProcess.StartAsync();
        await server.StopAsync();

        var doctor = await Examination.OfAsync(_folder.Path, ["--data", server.Data]);

        Assert.Equal("WARN", doctor["development"].State);
        Assert.Contains("mfa-server keys revoke dev", doctor["development"].Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain(server.DevKey, doctor.Output, StringComparison.Ordinal);
    }

    private Task<Examination> ExamineAsync() => Examination.OfAsync(_folder.Path, ["--data", Data]);

    private async Task FillAsync() =>
        Assert.Equal(0, (await ServerProgram.RunAsync("keys", "create", "first", "--scopes", "verify", "--data", Data)).ExitCode);

    private void Execute(string sql)
    {
        using (var connection = new SqliteConnection($"Data Source={Database};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }

        File.SetUnixFileMode(Database, OwnerOnly);
    }
}
