using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Postgres;

/// <summary>A database that cannot be used: the start is refused with one line that says why, and never with the password.</summary>
public sealed class RefusedAddressTests(PostgresCluster cluster) : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_wrong_password_database_port_or_TLS_mode()
    {
        var address = await cluster.NewDatabaseAsync();

        await RefusedAsync($"{address};Password=wrong-{cluster.Password}", ["refuses this user name or password", "Passfile"]);
        await RefusedAsync(cluster.AddressOf("nothing_there"), ["no such database", "createdb"]);
        await RefusedAsync(cluster.AddressOf("postgres", port: 1), ["nobody answers", "Host and Port"]);
        await RefusedAsync($"{address};SSL Mode=Require", ["SSL Mode"]);
        await RefusedAsync($"Host=db.example.org;Database=mfa;Password={cluster.Password}", ["db.example.org", "VerifyFull"]);
        await RefusedAsync($"Hots=x;Password={cluster.Password}", ["not understood", "Host="]);
    }

    [Fact]
    public async Task A_user_who_may_not_create_tables_and_a_newer_schema()
    {
        var address = await cluster.NewDatabaseAsync("CREATE ROLE guest LOGIN PASSWORD 'guest-of-these-tests'");
        await RefusedAsync($"{address};Username=guest;Password=guest-of-these-tests", ["may not create", "grant"]);

        await using (await ServerProcess.StartAsync($"store:connection={address}"))
        {
            // Its start creates the schema.
        }

        await cluster.RunAsync(DatabaseOf(address), "UPDATE schema_version SET version = 999");
        await RefusedAsync(address, ["newer version", "999"]);
    }

    /// <summary>Debian has no PostgreSQL as old as that: the one that there is says on the way here that it is.</summary>
    [Fact]
    public async Task A_server_that_says_it_is_older_than_the_oldest_that_is_supported()
    {
        var address = await cluster.NewDatabaseAsync();
        var said = "13";
        using var relay = new ScriptedRelay(cluster.Port, answering: bytes =>
        {
            var name = "server_version\0"u8;
            var at = bytes.Span.IndexOf(name);
            if (at >= 0) System.Text.Encoding.ASCII.GetBytes(said, bytes.Span[(at + name.Length)..]);
        });
        var through = address.Replace($"Port={cluster.Port}", $"Port={relay.Port}", StringComparison.Ordinal);

        await RefusedAsync(through, ["version 13.", "Accepted: PostgreSQL 14 or newer"]);

        Assert.False((bool)(await cluster.RunAsync(DatabaseOf(address), "SELECT to_regclass('schema_version') IS NOT NULL"))!);
        said = "14";
        var ended = await ServerProgram.RunAsync("keys", "list", "--data", _folder["data"], "--store", through);
        Assert.True(ended.ExitCode == 0, ended.Errors);
    }

    [Fact]
    public async Task Another_key_ring_and_none() // CF6
    {
        var address = await cluster.NewDatabaseAsync();
        await using var server = await ServerProcess.StartAsync($"store:connection={address}");

        await RefusedAsync(address, ["keys.json", "Copy it from another server"]);
        Assert.False(File.Exists(_folder["data/keys.json"]));

        var strange = await ServerProgram.RunAsync("init", "--data", _folder["data"]);
        Assert.True(strange.ExitCode == 0, strange.Errors);
        await RefusedAsync(address, ["not the key ring this database was written with"]);
    }

    [Fact]
    public async Task Two_servers_with_rings_of_their_own_on_a_new_database_at_once_are_not_both_let_in()
    {
        var address = await cluster.NewDatabaseAsync();
        var folders = new[] { _folder["one"], _folder["two"] };
        foreach (var folder in folders) Assert.Equal(0, (await ServerProgram.RunAsync("init", "--data", folder)).ExitCode);

        var ended = await Task.WhenAll(folders.Select(folder => ServerProgram.RunAsync("keys", "list", "--data", folder, "--store", address)));

        Assert.Single(ended, end => end.ExitCode == 0);
        var again = await Task.WhenAll(folders.Select(folder => ServerProgram.RunAsync("keys", "list", "--data", folder, "--store", address)));
        Assert.Equal(ended.Select(end => end.ExitCode), again.Select(end => end.ExitCode)); // whoever was let in still is
    }

    [Theory]
    [InlineData("backup")]
    [InlineData("restore")]
    public async Task Backup_and_restore_say_what_to_do_instead(string verb)
    {
        var ended = await ServerProgram.RunAsync(verb, _folder["file"], "--data", _folder["data"], "--store", "Host=localhost");

        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("pg_dump", ended.Errors, StringComparison.Ordinal);
    }

    private async Task RefusedAsync(string address, string[] words)
    {
        var ended = await ServerProgram.RunAsync("keys", "list", "--data", _folder["data"], "--store", address);

        Assert.Equal(1, ended.ExitCode);
        var line = Assert.Single(ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        foreach (var word in words) Assert.Contains(word, line, StringComparison.Ordinal);
        Assert.DoesNotContain(cluster.Password, line, StringComparison.Ordinal);
        Assert.DoesNotContain("guest-of", line, StringComparison.Ordinal);
    }

    private static string DatabaseOf(string address) => new Npgsql.NpgsqlConnectionStringBuilder(address).Database!;
}
