using System.Diagnostics;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Microsoft.Data.Sqlite;

namespace Mfa.EndToEnd.Keys;

/// <summary>The verbs are killed on their way: what was there still opens, and the next try ends what was begun.</summary>
public sealed class KilledVerbTests
{
    private const string Address = "person@example.org";

    /// <summary>The calls that a file or a commit appears by: between any two of them lies another state on the disk.</summary>
    public static TheoryData<string> Calls => ["unlink", "rename", "fsync", "fdatasync"];

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_rotation_that_is_killed_at_any_of_its_steps(string call)
    {
        using var template = new TempFolder();
        await FillAsync(template.Path);
        for (var (count, killed) = (1, true); killed; count++)
        {
            using var folder = new TempFolder();
            Copy(template, folder);
            var keys = new KeyVerbs(folder.Path);

            killed = await Strace.KillAtAsync(call, count, ["secrets", "rotate", "--data", folder.Path]);

            Assert.Equal(0, (await keys.RunAsync("rotate")).ExitCode);
            Assert.Equal(["keys.json"], Directory.EnumerateFiles(folder.Path, "keys.json*").Select(Path.GetFileName));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keys.Ring));
            await AssertOpensAsync(folder.Path);
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_removal_that_is_killed_at_any_of_its_steps(string call)
    {
        using var template = new TempFolder();
        await FillAsync(template.Path);
        var made = new KeyVerbs(template.Path);
        var old = await made.RotateAsync();
        await made.RewrapAsync();
        await made.AgeAsync();
        for (var (count, killed) = (1, true); killed; count++)
        {
            using var folder = new TempFolder();
            Copy(template, folder);
            var keys = new KeyVerbs(folder.Path);

            killed = await Strace.KillAtAsync(call, count, ["secrets", "remove", old, "--data", folder.Path]);

            if (IsIn(old, keys)) Assert.Equal(0, (await keys.RunAsync("remove", old)).ExitCode);
            Assert.False(IsIn(old, keys));
            await AssertOpensAsync(folder.Path);
        }
    }

    [Fact]
    public async Task A_rewrap_that_is_killed_again_and_again_beside_a_server_goes_on_where_it_was()
    {
        await using var server = await ServerProcess.StartAsync();
        var keys = new KeyVerbs(server.Data);
        var owner = await Owner.EnrolAsync(server.Dev);
        const int Accounts = 1500;
        await Parallel.ForAsync(0, Accounts, new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (_, _) => await server.Dev.EnableAsync(Owner.NewAccount()));
        var old = await keys.RotateAsync();
        var left = Left(server.Database, old);
        Assert.Equal(Accounts + 1, left);

        for (var kill = 0; kill < 3; kill++)
        {
            using var rewrap = Process.Start(ServerProgram.Command("secrets", "rewrap", "--data", server.Data))!;
            while (Left(server.Database, old) is var now && now > left - 200 && now > 0) Assert.False(rewrap.HasExited);
            rewrap.Kill();
            await rewrap.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.InRange(Left(server.Database, old), 1, left - 1);
            left = Left(server.Database, old);
            await Owner.AssertServedAsync(server.Dev);
        }

        await keys.RewrapAsync();
        Assert.Equal(0, Left(server.Database, old));
        Assert.Equal(0, (await keys.StatusAsync()).Single(key => key.Id == old).Needed);
        await MixedLoad.AcceptedAsync(server.Dev, owner.Account, await owner.App.CodeAsync(Authenticator.Step + 1));
        await MixedLoad.AcceptedAsync(server.Dev, owner.Account, owner.RecoveryCodes[0]);
    }

    private static Task FillAsync(string data) => ServerProgram.AddPersonAsync(data, "person", Address, "correct horse battery staple");

    private static void Copy(TempFolder from, TempFolder to)
    {
        foreach (var file in Directory.EnumerateFiles(from.Path)) File.Copy(file, to[Path.GetFileName(file)]);
    }

    private static bool IsIn(string key, KeyVerbs keys) => File.ReadAllText(keys.Ring).Contains(key, StringComparison.Ordinal);

    /// <summary>The start is not refused, and what is sealed can be read.</summary>
    private static async Task AssertOpensAsync(string data)
    {
        var list = await ServerProgram.RunAsync("users", "list", "--data", data);
        Assert.True(list.ExitCode == 0, list.Errors);
        Assert.Contains(Address, list.Output, StringComparison.Ordinal);
    }

    /// <summary>How many accounts have a secret under the key.</summary>
    private static long Left(string database, string key)
    {
        using var connection = new SqliteConnection($"Data Source={database};Pooling=False;Mode=ReadOnly");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM accounts WHERE substr(coalesce(f_secret, p_secret), 2, 4) = @key";
        command.Parameters.AddWithValue("@key", Convert.FromHexString(key));
        return (long)command.ExecuteScalar()!;
    }
}
