using System.Diagnostics;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;
using Npgsql;

namespace Mfa.EndToEnd.Postgres;

/// <summary>A folder moves to PostgreSQL, and everything that was promised moves along.</summary>
public sealed class StoreCopyTests(PostgresCluster cluster)
{
    [Fact]
    public async Task Everything_moves_also_after_a_copy_that_was_killed() // ST17
    {
        var address = await cluster.NewDatabaseAsync();
        var database = new NpgsqlConnectionStringBuilder(address).Database!;
        await using var file = await ServerProcess.StartAsync();
        var owner = await Owner.EnrolAsync(file.Dev);
        await file.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[0]);
        string[] copy = ["store", "copy", "--to", address, "--data", file.Data];
        Assert.Contains("serving this folder", (await ServerProgram.RunAsync(copy)).Errors, StringComparison.Ordinal);
        await file.StopAsync();
        await ServerProgram.RunAsync("users", "add", "jane", "--email", "jane@example.org", "--data", file.Data);
        Assert.Equal(0, (await ServerProgram.RunAsync("store", "migrate", "--data", file.Data, "--store", address)).ExitCode);

        await KillOnTheWayAsync(copy, address, file.Data);
        var early = await ServerProgram.RunAsync("keys", "list", "--data", file.Data, "--store", address);
        Assert.Contains("has not been finished", early.Errors, StringComparison.Ordinal);
        var copied = await ServerProgram.RunAsync(copy);
        Assert.True(copied.ExitCode == 0, copied.Errors);
        Assert.Contains("not empty", (await ServerProgram.RunAsync(copy)).Errors, StringComparison.Ordinal);

        await using var server = await ServerProcess.StartBesideAsync(file, $"store:connection={address}");
        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, owner.UsedCode)).Verdict);
        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        var verify = await ServerProgram.RunAsync("audit", "verify", "--data", server.Data, "--store", address);
        Assert.True(verify.ExitCode == 0, verify.Output + verify.Errors);
        Assert.NotEqual(0L, await cluster.RunAsync(database, "SELECT count(*) FROM audit WHERE chain = 1"));
    }

    [Fact]
    public async Task Rows_that_did_not_arrive_as_they_left_are_seen()
    {
        var address = await cluster.NewDatabaseAsync();
        var database = new NpgsqlConnectionStringBuilder(address).Database!;
        await using var file = await ServerProcess.StartAsync();
        await Owner.EnrolAsync(file.Dev);
        await file.StopAsync();
        Assert.Equal(0, (await ServerProgram.RunAsync("store", "migrate", "--data", file.Data, "--store", address)).ExitCode);
        await cluster.RunAsync(database, """
            CREATE FUNCTION one_guess_less() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.factor_failures := NEW.factor_failures - 1; RETURN NEW; END $$;
            CREATE TRIGGER one_guess_less BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION one_guess_less()
            """);

        var copied = await ServerProgram.RunAsync("store", "copy", "--to", address, "--data", file.Data);

        Assert.Equal(1, copied.ExitCode);
        Assert.Contains("accounts: the target has not what the source has", copied.Errors, StringComparison.Ordinal);
        Start.RefusedWith(await OutsideProgram.RunAsync(Start.Serve(file.Data, "--store", address), []), ["has not been finished"]);
    }

    /// <summary>A lock on the users table holds the copy up there, when accounts are copied and keys are not.</summary>
    private async Task KillOnTheWayAsync(string[] copy, string address, string data)
    {
        await using var holding = new NpgsqlConnection($"{address};Pooling=false");
        await holding.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await holding.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var take = new NpgsqlCommand("LOCK TABLE users IN ACCESS EXCLUSIVE MODE", holding, transaction))
            await take.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        using var process = Process.Start(ServerProgram.Command(copy))!;
        var begun = Stopwatch.GetTimestamp();
        var database = new NpgsqlConnectionStringBuilder(address).Database!;
        while (await cluster.RunAsync(database, "SELECT count(*) FROM api_keys") is 0L)
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromMinutes(1) && !process.HasExited, "The copy does not get that far.");
            await Task.Delay(50, TestContext.Current.CancellationToken); // nothing tells but looking again
        }

        await Start.RefusedAsync(data, ["or restores or copies it"]);
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
