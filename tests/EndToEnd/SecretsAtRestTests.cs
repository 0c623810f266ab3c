using System.Text;
using System.Text.Json;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>What a thief of the folder or of the log finds (SE1, SE6, SE9, SE10, ST15).</summary>
public sealed class SecretsAtRestTests
{
    private const string Password = "correct horse battery staple";
    private const string Address = "canary-7f3a@example.org";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_secret_is_in_a_file_or_in_a_log_line_even_at_trace_level(bool dev)
    {
        const string Trace = "log:level=Trace";
        await using var server = dev ? await ServerProcess.StartAsync(Trace) : await ServerProcess.StartInProductionAsync(Trace);
        var codes = await LiveAsync(server);
        var backup = await ServerProgram.RunAsync("backup", Path.Combine(server.Data, "backup"), "--data", server.Data);
        Assert.True(backup.ExitCode == 0, backup.Errors);

        server.Secrets.AssertNoneIn((await LeakTests.TrailAndMetricsAsync(server)).Split('\n'));
        AssertNothingInFiles(server);
        await server.KillAsync(); // the write-ahead log stays as it is
        AssertNothingInFiles(server);
        await server.StartAgainAsync();
        await Owner.AssertServedAsync(server.Dev);
        Assert.Equal(0, await server.StopAsync());
        AssertNothingInFiles(server);

        Assert.Contains(server.Lines, line => line.Contains("Verdict on", StringComparison.Ordinal)); // it did log
        server.Secrets.AssertNoneIn(server.Lines);
        AssertNoCodeIn(server.Lines, codes);
    }

    [Fact]
    public async Task Only_the_owner_may_read_the_folder_and_its_files_however_open_the_umask()
    {
        await using var server = await ServerProcess.StartAsync();
        await Owner.EnrolAsync(server.Dev);

        var files = new DirectoryInfo(server.Data).GetFiles();

        const UnixFileMode Owners = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(Owners | UnixFileMode.UserExecute, File.GetUnixFileMode(server.Data));
        Assert.All(files, file => Assert.Equal((file.Name, Owners), (file.Name, file.UnixFileMode)));
        Assert.Equal(
            "dev.key keys.json mfa.db mfa.db-shm mfa.db-wal serve.lock",
            string.Join(' ', files.Select(file => file.Name).Order(StringComparer.Ordinal)));
        Assert.Equal(0, files.Single(file => file.Name == "serve.lock").Length);
    }

    /// <summary>Everything that handles a secret, once: also what replaces and deletes one, and what goes wrong.</summary>
    /// <returns>The digits that were submitted.</returns>
    private static async Task<string[]> LiveAsync(ServerProcess server)
    {
        await ServerProgram.AddPersonAsync(server.Data, "person", Address, Password);
        var key = await ServerProgram.CreateKeyAsync(server.Data, "second", "verify,enroll");
        server.Secrets.Add(Password, Address, key);
        var person = server.NewCallerWith(Caller.Basic("person", Password));
        var service = server.NewCaller(key);

        var hers = await Owner.EnrolAsync(person, account: "person");
        var account = Owner.NewAccount();
        var request = new EnableRequest { Account = account, Method = Method.Authenticator, Email = Address };
        var owner = await Owner.FinishAsync(service, account, await service.EnableAsync(request));
        var wrong = await owner.App.WrongCodeAsync();
        var guess = await service.VerifyAsync(account, wrong, requestId: Guid.NewGuid().ToString());
        var accepted = await service.VerifyAsync(account, owner.NextCode);
        var recovered = await service.VerifyAsync(account, owner.RecoveryCodes[0]);
        var regenerated = await service.RegenerateRecoveryCodesAsync(account, owner.RecoveryCodes[1]);
        var renewed = await Owner.FinishAsync(service, account, await service.EnableAsync(account, regenerated[0]));
        await service.EnableAsync(account, renewed.RecoveryCodes[0]); // one more, and it stays pending

        Assert.Equal(
            (Verdict.Rejected, Verdict.Accepted, Verdict.Accepted), (guess.Verdict, accepted.Verdict, recovered.Verdict));
        await Refused.ForFieldAsync("code", () => service.VerifyAsync(account, wrong + "x"));
        await Refused.AsUnauthenticatedAsync(() => server.NewCaller(key[..^1]).GetStatusAsync(account));
        await Refused.AsUnauthenticatedAsync(() => server.NewCallerWith(Caller.Basic("person", Password + "x")).GetStatusAsync(""));
        return [hers.UsedCode, owner.UsedCode, wrong, owner.NextCode, renewed.UsedCode];
    }

    private static void AssertNothingInFiles(ServerProcess server)
    {
        var ring = JsonDocument.Parse(File.ReadAllText(Path.Combine(server.Data, "keys.json")));
        var ringKey = ring.RootElement.GetProperty("keys")[0].GetProperty("key").GetString()!;
        var forms = server.Secrets.All.SelectMany(FormsOf).ToList();
        foreach (var path in Directory.EnumerateFiles(server.Data, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetFileName(path);
            // Its holder lets nobody open it, and its length says all.
            var bytes = name == "serve.lock" ? [] : File.ReadAllBytes(path);
            // dev.key is there to hand out its key, keys.json is what everything else is sealed with, and the development
            // mailbox holds mail, which says whom it is for.
            var mayHold = name == "dev.key" ? FormsOf(server.DevKey).ToList()
                : name.EndsWith(".eml", StringComparison.Ordinal) ? FormsOf(Address).ToList()
                : [];
            Assert.All(
                forms.Where(form => !mayHold.Exists(allowed => allowed.AsSpan().SequenceEqual(form))),
                form => Assert.True(bytes.AsSpan().IndexOf(form) < 0, $"A secret is in {name}."));
            if (name != "keys.json")
                Assert.True(bytes.AsSpan().IndexOf(Convert.FromBase64String(ringKey)) < 0, $"The ring key is in {name}.");
        }
    }

    /// <summary>The ways in which a secret may lie about: as told, without its hyphens, as bytes, and as hex of these.</summary>
    internal static IEnumerable<byte[]> FormsOf(string secret)
    {
        yield return Encoding.UTF8.GetBytes(secret);
        yield return Encoding.Unicode.GetBytes(secret);
        yield return Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)));
        yield return Encoding.ASCII.GetBytes(Convert.ToHexString(Encoding.UTF8.GetBytes(secret)));
        if (secret.Length == 29 && secret[5] == '-') // a recovery code
        {
            yield return Encoding.ASCII.GetBytes(secret.Replace("-", "", StringComparison.Ordinal));
            yield return Encoding.ASCII.GetBytes(secret.ToLowerInvariant());
        }

        byte[]? raw = null;
        if (secret.Length == 32 && !secret.Contains(' ')) raw = Base32.Decode(secret);
        if (secret.StartsWith("mfa_", StringComparison.Ordinal)) raw = System.Buffers.Text.Base64Url.DecodeFromChars(secret.AsSpan(21));
        if (raw is null) yield break;
        yield return raw;
        yield return Encoding.ASCII.GetBytes(Convert.ToHexString(raw));
        yield return Encoding.ASCII.GetBytes(Convert.ToHexStringLower(raw));
        yield return Encoding.ASCII.GetBytes(Convert.ToBase64String(raw));
        yield return Encoding.ASCII.GetBytes(System.Buffers.Text.Base64Url.EncodeToString(raw));
    }

    /// <summary>As a word of its own: times and ids have runs of six digits in them by chance.</summary>
    private static void AssertNoCodeIn(IEnumerable<string> lines, string[] codes)
    {
        var words = lines.SelectMany(line => line.Split(line.Where(c => !char.IsAsciiLetterOrDigit(c)).Distinct().ToArray()));
        Assert.Empty(words.Intersect(codes, StringComparer.Ordinal));
    }
}
