using System.Diagnostics;
using System.Globalization;
using System.Net;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.EndToEnd.Watch;
using Mfa.V1;
using Microsoft.Data.Sqlite;

namespace Mfa.EndToEnd;

/// <summary>A disk that fails, in the ways in which disks fail: no verdict, no lost code, no account that seems to have no factor.</summary>
public sealed class StorageFaultTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// The process may not write past the first byte of any file. For SQLite this is a write that fails, as on a full disk, and it
    /// needs no mount and no root.
    /// </summary>
    [Fact]
    public async Task Without_room_nothing_is_answered_reads_go_on_and_room_alone_mends_it() // ST3
    {
        await using var server = await ServerProcess.StartAsync();
        var owner = await Owner.EnrolAsync(server.Dev);

        await LimitFilesAsync(server, "1:");
        await UnavailableAsync(() => server.Dev.VerifyAsync(owner.Account, owner.NextCode));
        await UnavailableAsync(() => server.Dev.VerifyAsync(owner.Account, "000000"));
        await UnavailableAsync(() => server.Dev.EnableAsync(Owner.NewAccount()));
        Assert.Equal(State.Enabled, (await server.Dev.GetStatusAsync(owner.Account)).State);
        await LimitFilesAsync(server, "unlimited:");

        var accepted = await server.Dev.VerifyAsync(owner.Account, owner.NextCode);
        Assert.Equal((Verdict.Accepted, 5), (accepted.Verdict, accepted.AttemptsRemaining));
        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        await Owner.AssertServedAsync(server.Dev);
    }

    /// <summary>Where nobody may mount a file system of a few megabytes, files may not grow instead.</summary>
    [Fact]
    public async Task On_a_disk_that_is_full_nothing_is_answered_reads_go_on_and_room_alone_mends_it() // ST3
    {
        await using var server = await ServerProcess.StartAsync();
        Assert.Equal(0, await server.StopAsync());
        await using var disk = await SmallDisk.MountAsync(server.Data);
        await server.StartAgainAsync();
        var owner = await Owner.EnrolAsync(server.Dev);

        if (disk is null) await LimitFilesAsync(server, "1:");
        else await disk.FillAsync();
        await UnavailableAsync(() => server.Dev.VerifyAsync(owner.Account, owner.NextCode));
        await UnavailableAsync(() => server.Dev.EnableAsync(Owner.NewAccount()));
        Assert.Equal(State.Enabled, (await server.Dev.GetStatusAsync(owner.Account)).State);
        await Eventually.IsAsync("it is not ready", async () => (await RawHttp.GetAsync(server.Web, "/readyz")).Status == HttpStatusCode.ServiceUnavailable);
        if (disk is not null)
        {
            await server.KillAsync();
            await server.StartAgainAsync(); // it takes its log in, which leaves some room
            await disk.FillAsync();
            Assert.Equal(State.Enabled, (await server.Dev.GetStatusAsync(owner.Account)).State);
            await UnavailableAsync(() => server.Dev.VerifyAsync(owner.Account, owner.NextCode));
        }

        if (disk is null) await LimitFilesAsync(server, "unlimited:");
        else disk.Free();

        var accepted = await server.Dev.VerifyAsync(owner.Account, owner.NextCode);
        Assert.Equal((Verdict.Accepted, 5), (accepted.Verdict, accepted.AttemptsRemaining));
        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        await Owner.AssertServedAsync(server.Dev);
        await server.KillAsync(); // or the disk is in use
    }

    [Fact]
    public async Task While_another_process_holds_the_lock_a_code_is_not_looked_at() // ST6
    {
        await using var server = await ServerProcess.StartAsync();
        var owner = await Owner.EnrolAsync(server.Dev);
        using var other = Open(server.Database);

        Execute(other, "BEGIN EXCLUSIVE");
        await UnavailableAsync(() => server.Dev.VerifyAsync(owner.Account, owner.NextCode));
        await UnavailableAsync(() => server.Dev.VerifyAsync(owner.Account, "000000"));
        var waiting = server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[0]);
        Execute(other, "ROLLBACK");

        // It waited a while for the lock, and got it or gave up; either way it counts once at most.
        var outcome = await Record.ExceptionAsync(() => waiting);
        Assert.True(outcome is null or RpcException { StatusCode: StatusCode.Unavailable }, outcome?.ToString());
        var accepted = await server.Dev.VerifyAsync(owner.Account, owner.NextCode);
        Assert.Equal((Verdict.Accepted, 5, outcome is null ? 7 : 8), (accepted.Verdict, accepted.AttemptsRemaining, accepted.RecoveryCodesRemaining));
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0xAA)]
    public async Task A_damaged_page_is_an_error_and_never_an_account_without_a_factor(byte content)
    {
        await using var server = await ServerProcess.StartAsync();
        var owner = await Owner.EnrolAsync(server.Dev);
        Assert.Equal(0, await server.StopAsync());
        Overwrite(server.Database, "accounts", content);

        await server.StartAgainAsync();

        await UnavailableAsync(() => server.Dev.VerifyAsync(owner.Account, owner.NextCode));
        await UnavailableAsync(() => server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[0]));
        await UnavailableAsync(() => server.Dev.GetStatusAsync(owner.Account));
        await UnavailableAsync(() => server.Dev.EnableAsync(owner.Account));
        await UnavailableAsync(() => server.Dev.SendAsync("GetToken", new GetTokenRequest { Account = owner.Account }));
        await UnavailableAsync(() => server.Dev.SendAsync("Disable", new DisableRequest { Account = owner.Account }));
        var backup = await ServerProgram.RunAsync("backup", _folder["backup"], "--data", server.Data);
        Start.RefusedWith(backup, ["damaged"]);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_folder_of_another_user_is_refused() // ST4
    {
        var data = _folder["data"];
        Directory.CreateDirectory(data, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0x1ED); // 0755

        Start.RefusedWith(await OutsideProgram.RunAsync(Unprivileged(Start.Serve(data)), []), [data, "cannot write to the data folder"]);
    }

    [Fact]
    public async Task A_database_that_may_be_read_but_not_written_is_refused() // ST4
    {
        await ServerProgram.CreateKeyAsync(_folder["data"], "first", "verify");
        foreach (var path in Directory.GetFiles(_folder["data"]).Append(_folder["data"]).Append(_folder.Path).Append(_folder["data/mfa.db"]))
        {
            if (Environment.IsPrivilegedProcess && path != _folder["data/mfa.db"]) await GiveAwayAsync(path);
        }

        File.SetUnixFileMode(_folder["data/mfa.db"], UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

        Start.RefusedWith(await OutsideProgram.RunAsync(Unprivileged(Start.Serve(_folder["data"])), []), [_folder["data/mfa.db"], "owner and mode"]);
    }

    /// <summary>Numbers of processes come again, and a killed program leaves its port's files behind in a folder that all users share.</summary>
    [Fact]
    public async Task A_file_that_another_user_left_under_the_servers_number_stops_nothing()
    {
        var shared = Directory.CreateDirectory(_folder["shared"]).FullName;
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0x1ED); // 0755
        File.SetUnixFileMode(shared, (UnixFileMode)0x1FF | UnixFileMode.StickyBit); // as /tmp is
        var server = Unprivileged(Start.Serve("/proc/data"));
        var start = new ProcessStartInfo("sh", ["-c", "touch \"$TMPDIR/dotnet-diagnostic-$$-1-socket\"; exec \"$@\"", "sh", server.FileName, .. server.ArgumentList]);
        start.Environment["TMPDIR"] = shared;

        Start.RefusedWith(await OutsideProgram.RunAsync(start, []), ["/proc/data", "cannot write to the data folder"]);
        Assert.Equal(Environment.IsPrivilegedProcess, Directory.GetFiles(shared, "dotnet-diagnostic-*-1-socket").Length == 1);
    }

    [Fact]
    public async Task A_migration_that_is_killed_is_done_wholly_or_not_at_all() // ST7
    {
        var folder = Path.Combine(ServerProgram.Repository, "src/Server/Store/Migrations");
        var first = await File.ReadAllTextAsync(Path.Combine(folder, "001_start.sql"), TestContext.Current.CancellationToken);
        var newest = Directory.GetFiles(folder, "*.sql").Length;
        var killed = 0;
        for (var round = 0; round < 10; round++)
        {
            var data = _folder[$"round{round}"];
            await ServerProgram.CreateKeyAsync(data, "ring", "verify"); // makes the key ring
            foreach (var file in Directory.GetFiles(data, "mfa.db*")) File.Delete(file);
            using (var old = Open(Path.Combine(data, "mfa.db")))
            {
                Execute(old, $"PRAGMA journal_mode = WAL; {first}; PRAGMA user_version = 1;");
                Execute(old, """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                    INSERT INTO accounts (tenant, account, version, factor_failures, enrollment_failures, recovery_failures)
                    SELECT 't', 'a' || i, 1, i % 5, 0, 0 FROM n
                    """);
            }

            killed += await KillWhileItWritesAsync(data, round);
            using (var left = Open(Path.Combine(data, "mfa.db")))
            {
                Assert.Contains(Scalar(left, "PRAGMA user_version"), new object[] { 1L, (long)newest });
                Assert.Equal("ok", Scalar(left, "PRAGMA integrity_check"));
                Assert.Equal(2000L, Scalar(left, "SELECT count(*) FROM accounts"));
            }

            var again = await ServerProgram.RunAsync("keys", "list", "--data", data);
            Assert.True(again.ExitCode == 0, again.Errors);
            using var done = Open(Path.Combine(data, "mfa.db"));
            Assert.Equal((long)newest, Scalar(done, "PRAGMA user_version"));
        }

        Assert.True(killed > 0, "It always got ready before it was killed: this proved nothing.");
    }

    /// <summary>As soon as the write-ahead log appears, and a little later each round.</summary>
    private static async Task<int> KillWhileItWritesAsync(string data, int round)
    {
        var start = ServerProgram.Command("keys", "list", "--data", data);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var (told, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        SpinWait.SpinUntil(() => process.HasExited || File.Exists(Path.Combine(data, "mfa.db-wal")));
        process.WaitForExit(2 * round);
        var alive = !process.HasExited;
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await Task.WhenAll(told, errors);
        return alive ? 1 : 0;
    }

    private static Task<Google.Rpc.Status> UnavailableAsync(Func<Task> call) =>
        Refused.AsAsync(StatusCode.Unavailable, ErrorReason.StoreUnavailable, call);

    /// <summary>The soft limit alone, so that anybody may take it back (Debian package util-linux, always there).</summary>
    private static async Task LimitFilesAsync(ServerProcess server, string limit)
    {
        var pid = server.ProcessId.ToString(CultureInfo.InvariantCulture);
        var ended = await OutsideProgram.RunAsync(new ProcessStartInfo("prlimit", ["--pid", pid, $"--fsize={limit}"]), []);
        Assert.True(ended.ExitCode == 0, ended.Errors);
    }

    /// <summary>To root every file is open: then the program runs as the user that owns nothing.</summary>
    private static ProcessStartInfo Unprivileged(ProcessStartInfo start)
    {
        if (!Environment.IsPrivilegedProcess) return start;
        string[] words = ["--reuid=65534", "--regid=65534", "--clear-groups", start.FileName];
        for (var i = 0; i < words.Length; i++) start.ArgumentList.Insert(i, words[i]);
        start.FileName = "setpriv";
        return start;
    }

    private static async Task GiveAwayAsync(string path)
    {
        var ended = await OutsideProgram.RunAsync(new ProcessStartInfo("chown", ["65534:65534", path]), []);
        Assert.True(ended.ExitCode == 0, ended.Errors);
    }

    /// <summary>Puts nonsense where a table begins.</summary>
    private static void Overwrite(string path, string table, byte content)
    {
        long page;
        using (var database = Open(path)) page = (long)Scalar(database, $"SELECT rootpage FROM sqlite_schema WHERE name = '{table}'")!;
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = (page - 1) * 4096;
        file.Write(Enumerable.Repeat(content, 4096).ToArray());
    }

    private static SqliteConnection Open(string path)
    {
        var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        return connection;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // statements of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // statements of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }
}
