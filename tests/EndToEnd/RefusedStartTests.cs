using System.Text;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Microsoft.Data.Sqlite;

namespace Mfa.EndToEnd;

/// <summary>A folder that is not as it must be: the start is refused with one line that says which file and what to do.</summary>
public sealed class RefusedStartTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Data => _folder["data"];

    private string Database => _folder["data/mfa.db"];

    private string Ring => _folder["data/keys.json"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("/dev/null/x")]
    [InlineData("/proc/x")]
    [InlineData("/dev/null")]
    public async Task A_data_folder_that_cannot_be(string path) => await Start.RefusedAsync(path, [path, "--data"]);

    [Fact]
    public async Task A_data_folder_that_is_a_file()
    {
        await File.WriteAllTextAsync(Data, "", TestContext.Current.CancellationToken);

        await Start.RefusedAsync(Data, [Data, "--data"]);
    }

    [Fact]
    public async Task A_key_ring_that_is_gone_while_the_database_needs_it()
    {
        await FillAsync();
        File.Delete(Ring);

        await Start.RefusedAsync(Data, [Ring, "Restore"]);
        Assert.False(File.Exists(Ring)); // a new one would make the loss look like a fresh start
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("of no length")]
    [InlineData("without a table")]
    public async Task A_database_that_is_gone_while_its_key_ring_is_there(string how)
    {
        await FillAsync();
        foreach (var file in Directory.GetFiles(Data, "mfa.db*")) File.Delete(file);
        if (how != "missing") await File.WriteAllBytesAsync(Database, [], TestContext.Current.CancellationToken);
        if (how == "without a table") Execute("CREATE TABLE t (c); DROP TABLE t");

        await Start.RefusedAsync(Data, [Database, "missing or empty", "mfa-server restore", $"mfa-server init --empty --data {Data}"]);
        Start.RefusedWith(await ServerProgram.RunAsync("keys", "list", "--data", Data), [Database]);
        Assert.Equal(how != "missing", File.Exists(Database)); // a new one would make every account seem not enabled

        Assert.Equal(0, (await ServerProgram.RunAsync("init", "--empty", "--data", Data)).ExitCode);
        var begun = await ServerProgram.RunAsync("keys", "list", "--data", Data);
        Assert.True(begun.ExitCode == 0, begun.Errors);
        Assert.DoesNotContain("first", begun.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupRead | UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    public async Task A_key_ring_that_others_may_read_or_write(UnixFileMode others)
    {
        await FillAsync();
        File.SetUnixFileMode(Ring, UnixFileMode.UserRead | UnixFileMode.UserWrite | others);

        await Start.RefusedAsync(Data, [Ring, "chmod 600"]);
    }

    [Fact]
    public async Task A_key_ring_that_is_damaged()
    {
        await FillAsync();
        var good = await File.ReadAllTextAsync(Ring, TestContext.Current.CancellationToken);
        var key = good.Split('"').Single(word => word.Length == 44);
        string[] damaged =
        [
            "", "null", "[]", "{}", "garbage", good[..(good.Length / 2)], good[..^1],
            good.Replace(key, Convert.ToBase64String(new byte[32]), StringComparison.Ordinal), // all zero
            good.Replace(key, Convert.ToBase64String(new byte[16]), StringComparison.Ordinal), // short
            good.Replace(key, "", StringComparison.Ordinal),
            good.Replace("\"keys\": [", "\"keys\": [null,", StringComparison.Ordinal),
        ];

        foreach (var content in damaged)
        {
            await File.WriteAllTextAsync(Ring, content, TestContext.Current.CancellationToken);
            await Start.RefusedAsync(Data, [Ring], never: key[..20]);
        }
    }

    [Fact]
    public async Task A_key_ring_of_another_database() // CF6
    {
        await FillAsync();
        var other = _folder["other"];
        Assert.Equal(0, (await ServerProgram.RunAsync("keys", "list", "--data", other)).ExitCode);
        var good = await File.ReadAllTextAsync(Ring, TestContext.Current.CancellationToken);

        File.Copy(Path.Combine(other, "keys.json"), Ring, overwrite: true);
        await Start.RefusedAsync(Data, [Ring, "Put the right file back"]);

        // Another key under the right id.
        var words = good.Split('"');
        words[Array.FindIndex(words, word => word.Length == 44)] = Convert.ToBase64String(Encoding.ASCII.GetBytes("0123456789abcdef0123456789abcdef"));
        await File.WriteAllTextAsync(Ring, string.Join('"', words), TestContext.Current.CancellationToken);
        await Start.RefusedAsync(Data, [Ring, "Put the right file back"]);
    }

    [Fact]
    public async Task A_database_of_a_newer_version()
    {
        await FillAsync();
        Execute("PRAGMA user_version = 999");

        await Start.RefusedAsync(Data, [Database, "newer version", "999"]);
    }

    [Fact]
    public async Task A_database_that_is_none()
    {
        await FillAsync();
        await File.WriteAllTextAsync(Database, new string('x', 8192), TestContext.Current.CancellationToken);

        await Start.RefusedAsync(Data, [Database, "Restore it from a backup"]);
    }

    [Fact]
    public async Task A_database_that_is_cut_short_or_overwritten_in_the_middle()
    {
        await FillAsync();
        var good = await File.ReadAllBytesAsync(Database, TestContext.Current.CancellationToken);
        var holed = good.ToArray();
        holed.AsSpan(4096).Fill(0xAA);

        foreach (var damaged in new[] { good[..(good.Length / 2)], good[..5000], holed })
        {
            await File.WriteAllBytesAsync(Database, damaged, TestContext.Current.CancellationToken);
            await Start.RefusedAsync(Data, [Database, "Restore it from a backup"]);
        }
    }

    [Theory]
    [InlineData("keys.json")]
    [InlineData("serve.lock")]
    [InlineData("dev.key")]
    public async Task A_file_of_the_folder_that_is_a_folder_itself(string name)
    {
        var path = Path.Combine(Data, name);
        Directory.CreateDirectory(path);

        Start.RefusedWith(await OutsideProgram.RunAsync(Start.Serve(Data, "--dev"), []), [path]);
    }

    [Fact]
    public async Task A_key_ring_that_is_a_link_to_nowhere()
    {
        Directory.CreateDirectory(Data);
        File.CreateSymbolicLink(Ring, _folder["nowhere"]);

        await Start.RefusedAsync(Data, [Ring]);
        Assert.False(File.Exists(_folder["nowhere"]));
    }

    [Fact]
    public async Task An_address_that_is_taken()
    {
        await using var server = await ServerProcess.StartAsync();
        var taken = server.Grpc.GetLeftPart(UriPartial.Authority);

        var start = ServerProgram.Command("serve", "--data", Data, "--listen", taken, "--web", "http://127.0.0.1:0");
        Start.RefusedWith(await OutsideProgram.RunAsync(start, []), [taken, "--listen"]);
    }

    [Fact]
    public async Task A_folder_that_another_server_serves() // ST9
    {
        await using var server = await ServerProcess.StartAsync();

        await Start.RefusedAsync(server.Data, [server.Data, "another mfa-server is serving"]);

        await Owner.AssertServedAsync(server.Dev);
        await server.KillAsync();
        await server.StartAgainAsync(); // a lock that outlives its holder would be an outage
        await Owner.AssertServedAsync(server.Dev);
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // statements of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>A folder as an operator leaves it: key ring, database, one key.</summary>
    private async Task FillAsync()
    {
        var created = await ServerProgram.RunAsync("keys", "create", "first", "--scopes", "verify", "--data", Data);
        Assert.Equal(0, created.ExitCode);
    }
}
