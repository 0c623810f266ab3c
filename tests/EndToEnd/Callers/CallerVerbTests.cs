using System.Text.Json;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Callers;

/// <summary>The operator's verbs for keys and certificates, as processes beside a server.</summary>
public sealed class CallerVerbTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Data => _folder["data"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task One_key_follows_another_without_a_failed_call_and_the_list_tells_them_apart()
    {
        await using var server = await ServerProcess.StartAsync();
        var first = await CreateAsync(server.Data, "--expires", "400d");
        var caller = server.NewCaller(first);
        await caller.GetStatusAsync("a");
        var second = await CreateAsync(server.Data, "--expires", "2099-01-31");
        await caller.GetStatusAsync("a");
        await server.NewCaller(second).GetStatusAsync("a");

        Assert.Equal(0, (await ServerProgram.RunAsync("keys", "revoke", "shop", "--id", IdOf(first), "--data", server.Data)).ExitCode);

        await Refused.AsUnauthenticatedAsync(() => caller.GetStatusAsync("a"));
        await server.NewCaller(second).GetStatusAsync("a");
        Assert.Equal(0, await server.StopAsync()); // which notes the uses of its last minute
        var rows = await ListAsync("keys", server.Data);
        var (one, two) = (rows.Single(row => Text(row, "id") == IdOf(first)), rows.Single(row => Text(row, "id") == IdOf(second)));
        Assert.All([one, two], row => Assert.NotNull(Text(row, "last_use_time")));
        Assert.NotNull(Text(one, "revoke_time"));
        Assert.Null(Text(two, "revoke_time"));
        Assert.StartsWith("2099-01-31T00:00:00", Text(two, "expire_time"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_would_make_two_callers_of_one_name_is_refused()
    {
        await CreateAsync(Data);
        await RefusedAsync(["shop", "revoke first"], "keys", "create", "shop", "--scopes", "verify,enroll");
        await RefusedAsync(["shop", "revoke first"], "keys", "create", "shop", "--scopes", "verify", "--tenant", "another");
        await RefusedAsync(["--expires 2001-01-01", "past"], "keys", "create", "mall", "--scopes", "verify", "--expires", "2001-01-01");
        await RefusedAsync(["shop", "keys list"], "keys", "revoke", "shop", "--id", "0123456789abcdef");
        await RefusedAsync(["mall", "keys list"], "keys", "revoke", "mall");

        Assert.Equal(0, (await RunAsync("certificates", "map", "shop", "--san", "dns:shop.example.org", "--scopes", "verify")).ExitCode);
        await RefusedAsync(["mapped already", "certificates list"], "certificates", "map", "mall", "--san", "dns:SHOP.example.org",
            "--scopes", "verify");
        await RefusedAsync(["other scopes", "certificates list"], "certificates", "map", "shop", "--san", "dns:shop2.example.org",
            "--scopes", "admin");
        await RefusedAsync(["mall", "certificates list"], "certificates", "unmap", "mall");
    }

    [Fact]
    public async Task The_list_of_certificates_shows_names_and_what_is_revoked()
    {
        var fingerprint = string.Join(':', Enumerable.Repeat("AB", 32));
        Assert.Equal(0, (await RunAsync("certificates", "map", "shop", "--san", "dns:shop.example.org",
            "--san", "uri:spiffe://example.org/shop", "--scopes", "verify")).ExitCode);
        Assert.Equal(0, (await RunAsync("certificates", "revoke", fingerprint)).ExitCode);
        await RefusedAsync(["revoked already"], "certificates", "revoke", fingerprint.Replace(":", "", StringComparison.Ordinal));

        var rows = await ListAsync("certificates", Data);

        Assert.Equal(["dns:shop.example.org", "uri:spiffe://example.org/shop", $"sha256:{string.Concat(Enumerable.Repeat("ab", 32))}"],
            rows.Select(row => Text(row, "certificate")!));
        Assert.Equal("shop", Text(rows[0], "name"));
        Assert.NotNull(Text(rows[2], "revoke_time"));
        Assert.Contains("shop.example.org", (await RunAsync("certificates", "list")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("keys", "create", "name", "--scopes", "verify", "--expires", "0d")]
    [InlineData("keys", "create", "name", "--scopes", "verify", "--expires", "9999d")]
    [InlineData("keys", "create", "name", "--scopes", "verify", "--expires", "soon")]
    [InlineData("keys", "create", "name", "--scopes", "verify", "--expires", "31.1.2027")]
    [InlineData("keys", "revoke", "name", "--id", "12")]
    [InlineData("certificates")]
    [InlineData("certificates", "map", "name", "--scopes", "verify")]
    [InlineData("certificates", "map", "name", "--san", "dns:a.example.org")]
    [InlineData("certificates", "map", "name", "--san", "a.example.org", "--scopes", "verify")]
    [InlineData("certificates", "map", "name", "--san", "dns:*.example.org", "--scopes", "verify")]
    [InlineData("certificates", "map", "name", "--san", "email:a@example.org", "--scopes", "verify")]
    [InlineData("certificates", "map", "name", "--san", "dns:a.example.org", "--scopes", "")]
    [InlineData("certificates", "revoke", "abcd")]
    public async Task A_command_line_that_is_not_understood_ends_with_2(params string[] arguments)
    {
        var ended = await OutsideProgram.RunAsync(ServerProgram.Command([.. arguments]), []);

        Assert.Equal(Start.Usage, ended.ExitCode);
        Assert.StartsWith("mfa-server: ", ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Half_an_issuer_stops_the_start_with_one_line_and_leaves_no_folder()
    {
        var start = Start.Serve(Data, "--set", "jwt:issuer=https://issuer.example.org", "--set", "jwt:keysFile=keys.json");

        Start.RefusedWith(await OutsideProgram.RunAsync(start, []), ["jwt:audience"]);
        Assert.False(Directory.Exists(Data));

        start = Start.Serve(Data, "--set", "jwt:issuer=https://issuer.example.org", "--set", "jwt:audience=mfa",
            "--set", $"jwt:keysFile={_folder["none.json"]}");
        Start.RefusedWith(await OutsideProgram.RunAsync(start, []), ["jwt:keysFile", _folder["none.json"]]);
    }

    private static string IdOf(string key) => key.Split('_')[1];

    private static string? Text(JsonElement row, string name) => row.GetProperty(name).GetString();

    private static async Task<string> CreateAsync(string data, params string[] more)
    {
        var ended = await ServerProgram.RunAsync(["keys", "create", "shop", "--scopes", "verify", "--data", data, .. more]);
        Assert.True(ended.ExitCode == 0, ended.Errors);
        return ended.Output.Trim();
    }

    private static async Task<List<JsonElement>> ListAsync(string noun, string data)
    {
        var ended = await ServerProgram.RunAsync(noun, "list", "--output", "json", "--data", data);
        Assert.True(ended.ExitCode == 0, ended.Errors);
        using var rows = JsonDocument.Parse(ended.Output);
        return [.. rows.RootElement.EnumerateArray().Select(row => row.Clone())];
    }

    private Task<Ended> RunAsync(params string[] verb) => ServerProgram.RunAsync([.. verb, "--data", Data]);

    private async Task RefusedAsync(string[] words, params string[] verb) => Start.RefusedWith(await RunAsync(verb), words);
}
