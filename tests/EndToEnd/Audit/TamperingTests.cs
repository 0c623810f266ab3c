using System.Text.Json;
using System.Text.RegularExpressions;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Microsoft.Data.Sqlite;

namespace Mfa.EndToEnd.Audit;

/// <summary>Somebody with the database file, and an operator who asks whether anybody was at it (SE12).</summary>
public sealed class TamperingTests
{
    [Fact]
    public async Task A_row_taken_out_is_told_by_its_number_and_the_verb_fails()
    {
        await using var server = await ServerProcess.StartAsync();
        var owner = await Owner.EnrolAsync(server.Dev);
        await server.Dev.VerifyAsync(owner.Account, owner.NextCode);
        var row = (await Trail.ListAsync(server, "--account", owner.Account, "--outcome", "accepted"))[^1];

        Write(server, $"DELETE FROM audit WHERE seq = {row.Seq}");

        var ended = await Trail.VerifyAsync(server);
        Assert.Equal(1, ended.ExitCode);
        Assert.StartsWith($"row {row.Seq}: missing", ended.Output, StringComparison.Ordinal);
        using var json = JsonDocument.Parse((await Trail.VerifyAsync(server, "--output", "json")).Output);
        Assert.Equal(row.Seq, json.RootElement.GetProperty("first_bad_seq").GetInt64());
        await Owner.AssertServedAsync(server.Dev); // the trail tells; it stops nobody
    }

    [Fact]
    public async Task A_database_that_was_put_back_is_found_with_a_checkpoint_from_the_log()
    {
        await using var server = await ServerProcess.StartAsync();
        var owner = await Owner.EnrolAsync(server.Dev);
        Assert.Equal(0, await server.StopAsync());
        var copy = await File.ReadAllBytesAsync(server.Database, TestContext.Current.CancellationToken);
        await server.StartAgainAsync();
        await server.Dev.VerifyAsync(owner.Account, owner.NextCode);
        Assert.Equal(0, await server.StopAsync()); // an orderly stop logs a checkpoint
        var checkpoint = server.Lines.Select(line => Regex.Match(line, @"Audit checkpoint (\S+)", RegexOptions.None, TimeSpan.FromSeconds(1)))
            .Last(match => match.Success).Groups[1].Value;
        await Trail.AssertWholeAsync(server, "--checkpoint", checkpoint);

        foreach (var file in new[] { "", "-wal", "-shm" }) File.Delete(server.Database + file);
        await File.WriteAllBytesAsync(server.Database, copy, TestContext.Current.CancellationToken);

        await Trail.AssertWholeAsync(server);
        var ended = await Trail.VerifyAsync(server, "--checkpoint", checkpoint);
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("put back", ended.Output, StringComparison.Ordinal);
    }

    private static void Write(ServerProcess server, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={server.Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // a constant and a number
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
