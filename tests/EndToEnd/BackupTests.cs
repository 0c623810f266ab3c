using System.Security.Cryptography;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>A backup made while the server serves, and what comes back with it (ST14, ST15).</summary>
public sealed class BackupTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Backup => _folder["backup"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_told_before_a_backup_under_load_is_in_it_and_no_code_of_that_time_counts_again() // ST14
    {
        await using var server = await ServerProcess.StartAsync();
        using var enough = new CancellationTokenSource();
        var load = Enumerable.Range(0, 4).Select(_ => EnrolUntilAsync(server, enough.Token)).ToList();
        var before = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Owner.EnrolAsync(server.Dev)));
        foreach (var owner in before)
            Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);

        await DoneAsync("backup", Backup, "--data", server.Data);
        var after = await Owner.EnrolAsync(server.Dev);
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(before[0].Account, before[0].NextCode)).Verdict);
        await enough.CancelAsync();
        var loaded = (await Task.WhenAll(load)).Sum();
        Assert.True(loaded > 0, "Nothing was written meanwhile: the backup proved nothing.");

        Assert.Equal(0, await server.StopAsync());
        foreach (var file in Directory.GetFiles(server.Data, "mfa.db*")) File.Delete(file);
        var told = await DoneAsync("restore", Backup, "--data", server.Data);
        await server.StartAgainAsync();

        Assert.Contains("Restored ", told, StringComparison.Ordinal);
        foreach (var owner in before)
        {
            var status = await server.Dev.GetStatusAsync(owner.Account);
            Assert.Equal((State.Enabled, true, 0), (status.State, status.RecoveryCodesStale, status.RecoveryCodesRemaining));
            foreach (var code in new[] { owner.UsedCode, owner.NextCode, owner.RecoveryCodes[0], owner.RecoveryCodes[1] })
                Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, code)).Verdict);
        }

        Assert.Equal(State.Disabled, (await server.Dev.GetStatusAsync(after.Account)).State); // it was not there yet
        await Owner.AssertServedAsync(server.Dev);
    }

    [Fact]
    public async Task Recovery_codes_that_the_operator_keeps_make_new_ones_which_clear_the_flag()
    {
        await using var server = await ServerProcess.StartAsync();
        var owner = await Owner.EnrolAsync(server.Dev);
        await server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[0]);
        await DoneAsync("backup", Backup, "--data", server.Data);

        Assert.Equal(0, await server.StopAsync());
        var told = await DoneAsync("restore", Backup, "--replace", "--ignore-replaced", "--keep-recovery-codes", "--data", server.Data);
        await server.StartAgainAsync();

        Assert.Contains("Warning: recovery codes of 1 accounts are accepted", told, StringComparison.Ordinal);
        Assert.True((await server.Dev.GetStatusAsync(owner.Account)).RecoveryCodesStale);
        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);
        var codes = await server.Dev.RegenerateRecoveryCodesAsync(owner.Account, owner.RecoveryCodes[1]);
        var status = await server.Dev.GetStatusAsync(owner.Account);
        Assert.Equal((false, 8), (status.RecoveryCodesStale, status.RecoveryCodesRemaining));
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owner.Account, codes[0])).Verdict);
    }

    [Fact]
    public async Task What_the_replaced_database_knows_holds_on()
    {
        await using var server = await ServerProcess.StartAsync();
        var owner = await Owner.EnrolAsync(server.Dev);
        var revoked = await ServerProgram.CreateKeyAsync(server.Data, "revoked", "verify");
        await ServerProgram.AddPersonAsync(server.Data, "leaver", "leaver@example.org", "correct horse battery");
        server.Secrets.Add(revoked, "correct horse battery");
        await DoneAsync("backup", Backup, "--data", server.Data);
        await server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[0]);
        await ServerProgram.RevokeKeyAsync(server.Data, "revoked");
        await DoneAsync("users", "remove", "leaver", "--data", server.Data);
        var since = await Owner.EnrolAsync(server.Dev);

        await server.KillAsync(); // its last commits are in the log alone
        var told = await DoneAsync("restore", Backup, "--replace", "--data", server.Data);
        await server.StartAgainAsync();

        Assert.Contains("1 revoked keys", told, StringComparison.Ordinal);
        Assert.Contains("leaver", told, StringComparison.Ordinal);
        await Refused.AsUnauthenticatedAsync(() => server.NewCaller(revoked).GetStatusAsync(owner.Account));
        await Refused.AsUnauthenticatedAsync(() => server.NewCallerWith(Caller.Basic("leaver", "correct horse battery")).GetStatusAsync(""));
        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[1])).Verdict);
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(since.Account, since.RecoveryCodes[0])).Verdict);
        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(since.Account, since.NextCode)).Verdict);
    }

    [Fact]
    public async Task A_restore_that_must_not_be_is_refused_in_one_line_and_changes_nothing()
    {
        await using var server = await ServerProcess.StartAsync();
        await DoneAsync("backup", Backup, "--data", server.Data);
        await RefusedAsync([server.Data, "serving"], "restore", Backup, "--replace", "--data", server.Data);
        await RefusedAsync([Backup, "already"], "backup", Backup, "--data", server.Data);
        await RefusedAsync([_folder["none"], "no database"], "backup", _folder["other"], "--data", _folder["none"]);
        Assert.Equal(0, await server.StopAsync());
        await RefusedAsync([server.Database, "--replace"], "restore", Backup, "--data", server.Data);
        await RefusedAsync([_folder["none"], "keys.json", "key ring"], "restore", Backup, "--data", _folder["none"]);
        Assert.False(Path.Exists(_folder["none"]));

        var good = await File.ReadAllBytesAsync(Backup, TestContext.Current.CancellationToken);
        var altered = good.ToArray();
        altered[RandomNumberGenerator.GetInt32(4096, good.Length - 1000)] ^= 0x10;
        foreach (var (bytes, word) in new[] { (good[..^1], "cut short"), (good[..(good.Length / 2)], "cut short"), (altered, "altered"), ([], "cut short") })
        {
            await File.WriteAllBytesAsync(_folder["bad"], bytes, TestContext.Current.CancellationToken);
            await RefusedAsync([_folder["bad"], word], "restore", _folder["bad"], "--replace", "--data", server.Data);
        }

        await DoneAsync("keys", "list", "--data", _folder["stranger"]); // makes a folder with a ring of its own
        await RefusedAsync([Backup, "another key ring"], "restore", Backup, "--replace", "--data", _folder["stranger"]);

        await server.StartAgainAsync();
        await Owner.AssertServedAsync(server.Dev);
        Assert.Empty(Directory.GetFiles(server.Data, "*restor*"));
    }

    [Fact]
    public async Task A_restore_that_is_killed_leaves_the_old_or_the_new_database()
    {
        var data = _folder["data"];
        await ServerProgram.CreateKeyAsync(data, "old", "verify");
        await DoneAsync("backup", Backup, "--data", data);
        await ServerProgram.CreateKeyAsync(data, "new", "verify");
        string[] restore = ["restore", Backup, "--replace", "--ignore-replaced", "--data"];
        Directory.CreateDirectory(_folder["measured"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Copy(data, _folder["measured"]);
        var start = TimeProvider.System.GetTimestamp();
        await DoneAsync([.. restore, _folder["measured"]]);
        var whole = TimeProvider.System.GetElapsedTime(start);

        for (var round = 0; round < 10; round++)
        {
            var copy = _folder[$"round{round}"];
            Directory.CreateDirectory(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Copy(data, copy);
            var begin = ServerProgram.Command([.. restore, copy]);
            begin.RedirectStandardError = true;
            using var process = System.Diagnostics.Process.Start(begin)!;
            var told = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            // Half of the rounds as soon as it works on the files, the others at any moment.
            if (round % 2 == 0) SpinWait.SpinUntil(() => process.HasExited || Directory.GetFiles(copy, "*restor*").Length > 0);
            else process.WaitForExit(whole * (0.5 + 0.05 * round));
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            await told;

            var keys = await ServerProgram.RunAsync("keys", "list", "--data", copy);
            Assert.True(keys.ExitCode == 0, keys.Errors);
            Assert.Contains("old ", keys.Output, StringComparison.Ordinal);
            var restored = !keys.Output.Contains("new ", StringComparison.Ordinal);
            Assert.Equal(restored ? 1 : 0, Directory.GetFiles(copy, "mfa.db.before-restore-*Z").Length);
            Assert.False(File.Exists(Path.Combine(copy, "mfa.db.restored")));
        }
    }

    /// <summary>Enrols one account after the other.</summary>
    private static async Task<int> EnrolUntilAsync(ServerProcess server, CancellationToken enough)
    {
        var caller = server.NewCaller(server.DevKey);
        var count = 0;
        for (; !enough.IsCancellationRequested; count++) await Owner.EnrolAsync(caller);
        return count;
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    private static async Task<string> DoneAsync(params string[] arguments)
    {
        var ended = await ServerProgram.RunAsync(arguments);
        Assert.True(ended.ExitCode == 0, ended.Errors);
        return ended.Errors;
    }

    private static async Task RefusedAsync(string[] words, params string[] arguments) =>
        Start.RefusedWith(await ServerProgram.RunAsync(arguments), words);
}
