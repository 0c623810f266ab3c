using System.Text;
using System.Text.Json;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>Sent codes, tokens and ring keys, looked for in all that a server writes and says (SE1, SE6, SE8, SE9).</summary>
public sealed class LeakTests
{
    [Fact]
    public async Task A_sent_code_and_a_mailed_token_are_in_their_message_and_nowhere_else()
    {
        await using var server = await ServerProcess.StartAsync("log:level=Trace", "sends:gapSeconds=0");
        var said = new List<string>();
        var address = $"{Guid.NewGuid():N}@example.org";
        var account = Owner.NewAccount();
        var mailbox = new Mailbox(server, address);
        var codes = new List<string>();

        var started = await server.Dev.EnableAsync(new EnableRequest { Account = account, Method = Method.Email, Email = address });
        codes.Add(await mailbox.CodeAsync());
        said.Add((await server.Dev.VerifyAsync(account, codes[0], started.EnrollmentId)).ToString());
        for (var i = 0; i < 2; i++)
        {
            var request = new GetTokenRequest { Account = account, RequestId = Guid.NewGuid().ToString() };
            said.Add(Convert.ToHexString(await server.Dev.SendAsync("GetToken", request)));
            codes.Add(await mailbox.CodeAsync());
        }

        said.Add((await server.Dev.VerifyAsync(account, codes[1])).ToString()); // voided
        said.Add((await server.Dev.VerifyAsync(account, codes[2], requestId: Guid.NewGuid().ToString())).ToString());
        await server.Dev.SendAsync("Disable", new DisableRequest { Account = account });
        var token = await mailbox.TokenAsync();
        var other = new ConfirmDisableRequest { Account = Owner.NewAccount(), Token = token };
        said.Add(await ErrorOfAsync(() => server.Dev.SendAsync("ConfirmDisable", other)));
        said.Add(await ErrorOfAsync(() => server.Dev.SendAsync("ConfirmDisable", new ConfirmDisableRequest { Account = account, Token = token + "=" })));
        said.Add(await ErrorOfAsync(() => server.Dev.VerifyAsync(account, codes[2] + "7")));
        said.Add(await TrailAndMetricsAsync(server));
        var backup = await ServerProgram.RunAsync("backup", Path.Combine(server.Data, "backup"), "--data", server.Data);
        Assert.True(backup.ExitCode == 0, backup.Errors);
        AssertNowhere(server, [.. codes, token], said);
        await server.Dev.SendAsync("ConfirmDisable", new ConfirmDisableRequest { Account = account, Token = token });

        await server.KillAsync();
        AssertNowhere(server, [.. codes, token], said);
    }

    [Fact]
    public async Task Ring_keys_are_in_no_form_outside_the_ring_file()
    {
        await using var server = await ServerProcess.StartAsync("log:level=Trace");
        await Owner.EnrolAsync(server.Dev);
        var ring = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(server.Data, "keys.json"))).RootElement;
        var keys = ring.GetProperty("keys").EnumerateArray().Select(key => key.GetProperty("key").GetBytesFromBase64()).ToArray();
        Assert.NotEmpty(keys);

        var forms = keys.SelectMany(key => new[]
        {
            key, Encoding.ASCII.GetBytes(Convert.ToBase64String(key)), Encoding.ASCII.GetBytes(System.Buffers.Text.Base64Url.EncodeToString(key)),
            Encoding.ASCII.GetBytes(Convert.ToHexString(key)), Encoding.ASCII.GetBytes(Convert.ToHexStringLower(key)),
        }).ToArray();
        await server.KillAsync();

        AssertNoneIn(server, forms, file => !file.EndsWith("keys.json", StringComparison.Ordinal));
        var log = Encoding.UTF8.GetBytes(string.Join('\n', server.Lines));
        Assert.All(forms, form => Assert.True(log.AsSpan().IndexOf(form) < 0, "A ring key is in the log."));
    }

    [Fact]
    public async Task A_server_leaves_no_core_and_opens_no_diagnostics_port() // SE8
    {
        await using var server = await ServerProcess.StartAsync();
        await Owner.EnrolAsync(server.Dev);
        var id = server.ProcessId;

        var core = File.ReadLines($"/proc/{id}/limits").Single(line => line.StartsWith("Max core file size", StringComparison.Ordinal));
        Assert.Equal(["0", "0"], core["Max core file size".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[..2]);
        Assert.DoesNotContain($"dotnet-diagnostic-{id}-", await File.ReadAllTextAsync("/proc/net/unix"), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.GetTempPath(), $"dotnet-diagnostic-{id}-*"));
        Assert.Empty(Directory.GetFiles(Path.GetTempPath(), $"clr-debug-pipe-{id}-*"));
        // The superuser may look everywhere; whom it is to stop is another program of the server's own user.
        if (!Environment.IsPrivilegedProcess) Assert.Throws<UnauthorizedAccessException>(() => File.OpenRead($"/proc/{id}/mem"));
    }

    /// <summary>What an operator reads of a server, or has a program read.</summary>
    internal static async Task<string> TrailAndMetricsAsync(ServerProcess server)
    {
        var trail = await ServerProgram.RunAsync("audit", "list", "--limit", "10000", "--output", "json", "--data", server.Data);
        Assert.Contains("\"outcome\": \"accepted\"", trail.Output, StringComparison.Ordinal); // it did tell
        var metrics = await RawHttp.GetAsync(server.Web, "/metrics");
        Assert.Contains("mfa_verdicts_total", metrics.Body, StringComparison.Ordinal);
        return trail.Output + metrics.Body;
    }

    private static void AssertNowhere(ServerProcess server, string[] secrets, List<string> said)
    {
        var forms = secrets.SelectMany(SecretsAtRestTests.FormsOf).ToArray();
        AssertNoneIn(server, forms, file => !file.EndsWith(".eml", StringComparison.Ordinal));
        var words = server.Lines.Concat(said).SelectMany(line => line.Split(line.Where(c => !char.IsAsciiLetterOrDigit(c) && c is not '-' and not '_').Distinct().ToArray()));
        Assert.Empty(words.Intersect(secrets, StringComparer.Ordinal)); // whole words: times have six digits in them by chance
    }

    private static void AssertNoneIn(ServerProcess server, byte[][] forms, Func<string, bool> looked)
    {
        foreach (var path in Directory.EnumerateFiles(server.Data, "*", SearchOption.AllDirectories).Where(looked))
        {
            if (Path.GetFileName(path) == "serve.lock") continue; // nobody may open it, and SecretsAtRestTests knows that it is empty
            var bytes = File.ReadAllBytes(path);
            Assert.All(forms, form => Assert.True(bytes.AsSpan().IndexOf(form) < 0, $"A secret is in {Path.GetFileName(path)}."));
        }
    }

    private static async Task<string> ErrorOfAsync(Func<Task> call)
    {
        var error = await Assert.ThrowsAsync<RpcException>(call);
        return $"{error} {string.Join(' ', error.Trailers.Select(entry => entry.IsBinary ? Encoding.UTF8.GetString(entry.ValueBytes) : entry.Value))}";
    }
}
