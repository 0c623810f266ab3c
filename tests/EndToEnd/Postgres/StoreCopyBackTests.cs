using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;
using Microsoft.Data.Sqlite;

namespace Mfa.EndToEnd.Postgres;

/// <summary>A PostgreSQL that several servers worked on moves to the file of a folder, and everything that was promised moves along.</summary>
public sealed class StoreCopyBackTests(PostgresCluster cluster) : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task There_and_back_with_two_servers_in_between_and_a_copy_that_was_killed() // ST17
    {
        var address = await cluster.NewDatabaseAsync();
        await using var first = await ServerProcess.StartAsync();
        var early = await Owner.EnrolAsync(first.Dev);
        Assert.Equal(Verdict.Accepted, (await first.Dev.VerifyAsync(early.Account, early.RecoveryCodes[0])).Verdict);
        await first.StopAsync();
        var there = await CopyAsync("--from", first.Data, "--to", address);
        Assert.True(there.ExitCode == 0, there.Errors);
        await ServerProgram.CreateKeyAsync(first.Data, "later", "verify", store: address); // behind the last checkpoint of the file's chain

        await using var one = await ServerProcess.StartBesideAsync(first, $"store:connection={address}");
        await using var two = await ServerProcess.StartBesideAsync(first, $"store:connection={address}");
        Assert.Equal(Verdict.Accepted, (await one.Dev.VerifyAsync(early.Account, early.NextCode)).Verdict);
        Assert.Equal(Verdict.Accepted, (await two.Dev.VerifyAsync(early.Account, early.RecoveryCodes[1])).Verdict);
        var late = await Owner.EnrolAsync(one.Dev);
        var request = new VerifyRequest { Account = late.Account, Code = late.NextCode, RequestId = Guid.NewGuid().ToString() };
        Assert.Equal(Verdict.Accepted, (await two.Dev.VerifyAsync(request)).Verdict);
        var locked = await Owner.EnrolAsync(two.Dev);
        foreach (var wrong in await locked.App.WrongCodesAsync(5)) await one.Dev.VerifyAsync(locked.Account, wrong);
        var mailed = Owner.NewAccount();
        var pending = await two.Dev.EnableAsync(new EnableRequest { Account = mailed, Method = Method.Email, Email = mailed });
        var code = await new Mailbox(first, mailed).CodeAsync();

        Assert.Contains("Stop all of them", (await CopyAsync("--from", address, "--to", _folder["new"], ring: first)).Errors, StringComparison.Ordinal);
        var printed = (one.Lines.Count, two.Lines.Count);
        Assert.Equal((0, 0), (await one.StopAsync(), await two.StopAsync()));
        string[] ends = [.. CheckpointsIn(one.Lines.Skip(printed.Item1)), .. CheckpointsIn(two.Lines.Skip(printed.Item2))];
        var rows = await RowsAsync("--data", one.Data, "--store", address);
        await AssertRefusedAsync(address, first);

        await using var file = await ServerProcess.StartOnFileAsync(first, async data =>
        {
            await KillOnTheWayAsync(address, data, async () =>
            {
                await Start.RefusedAsync(data, ["or restores or copies it"]);
                var beside = Start.Serve(FolderFor(_folder["other"], first), "--store", address);
                Start.RefusedWith(await OutsideProgram.RunAsync(beside, []), ["nobody is let in"]);
            });
            await Start.RefusedAsync(data, ["missing or empty"]);
            var back = await CopyAsync("--from", address, "--to", data);
            Assert.True(back.ExitCode == 0, back.Errors);
            Assert.Equal(["mfa.db"], Directory.GetFiles(data, "mfa.db*").Select(Path.GetFileName));
            Assert.Contains("there is a database already", (await CopyAsync("--from", address, "--to", data)).Errors, StringComparison.Ordinal);
        });
        Assert.Contains("copied to a file", (await ServerProgram.RunAsync("keys", "list", "--data", one.Data, "--store", address)).Errors, StringComparison.Ordinal);

        foreach (var used in new[] { early.UsedCode, early.NextCode, early.RecoveryCodes[0], early.RecoveryCodes[1] })
            Assert.Equal(Verdict.Rejected, (await file.Dev.VerifyAsync(early.Account, used)).Verdict);
        Assert.Equal(Verdict.Accepted, (await file.Dev.VerifyAsync(early.Account, early.RecoveryCodes[2])).Verdict);
        Assert.Equal(Verdict.Locked, (await file.Dev.VerifyAsync(locked.Account, locked.NextCode)).Verdict);
        Assert.Equal(Verdict.Accepted, (await file.Dev.VerifyAsync(request)).Verdict); // the first answer again
        Assert.Equal(Verdict.Rejected, (await file.Dev.VerifyAsync(late.Account, late.NextCode)).Verdict);
        Assert.Equal(Verdict.Accepted, (await file.Dev.VerifyAsync(mailed, code, pending.EnrollmentId)).Verdict);

        var now = await RowsAsync("--data", file.Data);
        Assert.Equal([], rows.Except(now));
        Assert.Equal(rows.Length, rows.Intersect(now).Count());
        await AssertCheckpointsAsync(file, ends, CheckpointsIn(first.Lines));
    }

    [Fact]
    public async Task A_server_that_was_killed_counts_for_a_while_and_a_damaged_trail_is_not_merged()
    {
        var address = await cluster.NewDatabaseAsync();
        await using var server = await ServerProcess.StartAsync($"store:connection={address}");
        await Owner.EnrolAsync(server.Dev);
        await server.KillAsync();
        Assert.Contains("one that was killed counts until", (await CopyAsync("--from", address, "--to", server.Data)).Errors, StringComparison.Ordinal);

        var database = new Npgsql.NpgsqlConnectionStringBuilder(address).Database!;
        await cluster.RunAsync(database, "UPDATE audit_head SET held_until = 0; UPDATE audit SET caller = 'somebody' WHERE act = 9");

        Assert.Contains("audit trail is damaged", (await CopyAsync("--from", address, "--to", server.Data)).Errors, StringComparison.Ordinal);
        await server.StartAgainAsync(); // nothing was taken from it
    }

    [Fact]
    public async Task A_server_that_only_seemed_to_be_gone_decides_nothing_any_more()
    {
        var address = await cluster.NewDatabaseAsync();
        using var time = new FakedTime();
        time.Set(TimeSpan.FromMinutes(-10)); // so that its leases are over before they begin
        await using var server = await ServerProcess.StartUnderAsync(time.Environment, $"store:connection={address}");
        var owner = await Owner.EnrolAsync(server.Dev, firstStep: time.Step);

        var copied = await CopyAsync("--from", address, "--to", _folder["new"], ring: server);
        Assert.True(copied.ExitCode == 0, copied.Errors);

        var refused = await Assert.ThrowsAsync<RpcException>(() => server.Dev.VerifyAsync(owner.Account, owner.NextCode));
        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);

        // As after a crash right before the file got its name: neither is served, and the next run finishes it.
        File.Move(Path.Combine(_folder["new"], "mfa.db"), Path.Combine(_folder["new"], "mfa.db.copying"));
        copied = await CopyAsync("--from", address, "--to", _folder["new"]);
        Assert.True(copied.ExitCode == 0, copied.Errors);
        Assert.Equal(0, (await ServerProgram.RunAsync("audit", "verify", "--data", _folder["new"])).ExitCode);
    }

    [Fact]
    public async Task A_half_copy_that_somebody_changed_is_seen_and_made_anew()
    {
        var address = await cluster.NewDatabaseAsync();
        await using var server = await ServerProcess.StartAsync($"store:connection={address}");
        await Owner.EnrolAsync(server.Dev);
        await server.StopAsync();
        var folder = FolderFor(_folder["new"], server);
        await KillOnTheWayAsync(address, folder);
        await using (var half = new SqliteConnection($"Data Source={Path.Combine(folder, "mfa.db.copying")};Pooling=false"))
        {
            await half.OpenAsync(TestContext.Current.CancellationToken);
            await using var change = half.CreateCommand();
            change.CommandText = "UPDATE accounts SET factor_failures = factor_failures + 1";
            Assert.Equal(1, await change.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        }

        await NamesAsync(["accounts: the file has not what", "run the same again"], "--from", address, "--to", folder);
        var again = await CopyAsync("--from", address, "--to", folder);
        Assert.True(again.ExitCode == 0, again.Errors);
    }

    private async Task AssertRefusedAsync(string address, ServerProcess first)
    {
        await NamesAsync(["there is a database already"], "--from", address, "--to", first.Data);
        await NamesAsync(["keys.json", "missing"], "--from", address, "--to", _folder["nothing"]);
        Assert.Equal(0, (await ServerProgram.RunAsync("init", "--data", _folder["stranger"])).ExitCode);
        foreach (var left in Directory.GetFiles(_folder["stranger"], "mfa.db*")) File.Delete(left);
        await NamesAsync(["not the key ring"], "--from", address, "--to", _folder["stranger"]);
        await NamesAsync(["nothing to copy"], "--from", await cluster.NewDatabaseAsync(), "--to", _folder["new"]);
        await NamesAsync(["two data folders"], "--from", first.Data, "--to", _folder["new"]);
        await NamesAsync(["two PostgreSQL"], "--from", address, "--to", address);
        await NamesAsync(["--data"], "--from", address, "--to", _folder["new"], "--data", first.Data);
        Assert.False(File.Exists(Path.Combine(_folder["stranger"], "mfa.db.copying")));
    }

    private async Task NamesAsync(string[] words, params string[] copy)
    {
        var ended = await CopyAsync(copy);

        Assert.Equal(1, ended.ExitCode);
        Assert.All(words, word => Assert.Contains(word, ended.Errors, StringComparison.Ordinal));
        Assert.DoesNotContain(cluster.Password, ended.Errors, StringComparison.Ordinal);
    }

    /// <summary>Once the accounts are in the file, and rows of the trail are asked for, nothing gets through any more.</summary>
    private async Task KillOnTheWayAsync(string address, string data, Func<Task>? meanwhile = null)
    {
        var onTheWay = new TaskCompletionSource();
        using var relay = new ScriptedRelay(cluster.Port, asking: bytes =>
        {
            if (bytes.Span.IndexOf("FROM audit WHERE (time, chain, seq)"u8) < 0) return Task.CompletedTask;
            onTheWay.TrySetResult();
            return Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
        });
        var through = address.Replace($"Port={cluster.Port}", $"Port={relay.Port}", StringComparison.Ordinal);
        using var process = Process.Start(ServerProgram.Command("store", "copy", "--from", through, "--to", data))!;
        await onTheWay.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        if (meanwhile is not null) await meanwhile();
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await using var half = new SqliteConnection($"Data Source={Path.Combine(data, "mfa.db.copying")};Pooling=false");
        await half.OpenAsync(TestContext.Current.CancellationToken);
        await using var count = half.CreateCommand();
        count.CommandText = "SELECT count(*) FROM accounts";
        Assert.NotEqual(0L, await count.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    private static Task<Ended> CopyAsync(string from, string source, string to, string target, ServerProcess ring) =>
        CopyAsync(from, source, to, FolderFor(target, ring));

    /// <summary>A folder to copy to: it has the key ring already.</summary>
    private static string FolderFor(string target, ServerProcess ring)
    {
        Directory.CreateDirectory(target);
        File.Copy(Path.Combine(ring.Data, "keys.json"), Path.Combine(target, "keys.json"), overwrite: true);
        return target;
    }

    private static Task<Ended> CopyAsync(params string[] copy) => ServerProgram.RunAsync(["store", "copy", .. copy]);

    /// <summary>What each row of the trail says, without its place.</summary>
    private static async Task<string[]> RowsAsync(params string[] where)
    {
        var ended = await ServerProgram.RunAsync(["audit", "list", "--limit", "100000", "--output", "json", .. where]);
        Assert.True(ended.ExitCode == 0, ended.Errors);
        using var list = JsonDocument.Parse(ended.Output);
        return [.. list.RootElement.EnumerateArray().Select(row => string.Join('|', row.EnumerateObject()
            .Where(field => field.Name is not ("seq" or "chain")).Select(field => $"{field.Name}={field.Value}")))];
    }

    private static string[] CheckpointsIn(IEnumerable<string> lines) => [.. lines
        .Select(line => Regex.Match(line, @"Audit checkpoint (\S+)", RegexOptions.None, TimeSpan.FromSeconds(1)))
        .Where(match => match.Success).Select(match => match.Groups[1].Value)];

    /// <summary>The last checkpoint of each chain is found in the new trail; for an earlier one it says where to look.</summary>
    private static async Task AssertCheckpointsAsync(ServerProcess file, string[] ends, string[] earlier)
    {
        Assert.NotEmpty(ends);
        Assert.NotEmpty(earlier);
        foreach (var newest in ends)
        {
            var verify = await ServerProgram.RunAsync("audit", "verify", "--data", file.Data, "--checkpoint", newest);
            Assert.True(verify.ExitCode == 0, newest + verify.Output + verify.Errors);
        }

        var old = await ServerProgram.RunAsync("audit", "verify", "--data", file.Data, "--checkpoint", earlier[^1]);
        Assert.Equal(1, old.ExitCode);
        Assert.Contains("on the database that was left", old.Output, StringComparison.Ordinal);
    }
}
