using System.Text;
using Mfa.EndToEnd.Audit;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;
using Microsoft.Data.Sqlite;

namespace Mfa.EndToEnd.Transfer;

/// <summary>Files of other programs, taken over beside a running server; then their owners' apps are asked for codes.</summary>
public sealed class ImportTests : IDisposable
{
    private const string Rfc20 = "3132333435363738393031323334353637383930";
    private const string Rfc32 = "3132333435363738393031323334353637383930313233343536373839303132";
    private static readonly string Keycloak20 = Convert.ToHexString("Dh7pBd0RUmyMyRjn4DYw"u8); // the characters are the key
    private static readonly string Rfc64 = string.Concat(Enumerable.Range(0, 64).Select(i => $"3{(i + 1) % 10}"));

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Codes_of_apps_that_other_programs_set_up_are_accepted_once()
    {
        await using var server = await ServerProcess.StartAsync();
        var identity = await IdentityAsync();
        var cases = new (string Format, string Path, ForeignApp[] Apps)[]
        {
            ("otpauth", Fixture("otpauth.txt"),
                [new("alice@example.org", Rfc20), new("bob", Rfc32, "SHA256", 8, 60), new("carol", Rfc20[..20], Digits: 7, Period: 20), new("dave", Rfc20, "SHA512")]),
            ("google-authenticator", Fixture("google-authenticator.txt"),
                [new("alice@example.org", Rfc20), new("bob", Rfc20, "SHA256", 8), new("carol", Rfc20, "SHA512"), new("frank", Rfc20)]),
            ("aegis", Fixture("aegis-encrypted.json"),
                [new("alice@example.org", Rfc20), new("bob", Rfc32, "SHA256", 7, 20), new("carol", Rfc64, "SHA512", 8, 50)]),
            ("aspnet-identity", identity, [new("1a000000-0000-4000-8000-000000000001", Rfc20)]),
            ("keycloak", Fixture("keycloak-realm.json"),
                [new("11111111-1111-4111-8111-111111111111", Keycloak20), new("22222222-2222-4222-8222-222222222222", Rfc32, "SHA256", 8, 60)]),
            ("libpam", Fixture("libpam"), [new("alice", Rfc20), new("bob", Rfc20[..20], Period: 60)]),
            ("jsonl", Fixture("accounts.jsonl"), [new("alice", Rfc20), new("bob", Rfc32, "SHA256", 8, 60)]),
        };
        foreach (var (format, path, apps) in cases)
        {
            var told = await RunAsync(server, path, format, "--tenant", format, "--skip-broken");

            Assert.True(told.ExitCode == 0, told.Errors);
            var caller = server.NewCaller(await ServerProgram.CreateKeyAsync(server.Data, format, "verify,enroll", format));
            foreach (var app in apps)
            {
                var status = await caller.GetStatusAsync(app.Account);
                Assert.Equal((State.Enabled, true, 0), (status.State, status.RecoveryCodesStale, status.RecoveryCodesRemaining));
                var code = await app.CodeAsync(app.Step);
                Assert.Equal((format, app.Account, Verdict.Accepted), (format, app.Account, (await caller.VerifyAsync(app.Account, code)).Verdict));
                Assert.Equal(Verdict.Rejected, (await caller.VerifyAsync(app.Account, code)).Verdict);
            }
        }

        await Trail.AssertWholeAsync(server);
    }

    [Fact]
    public async Task One_bad_row_keeps_the_whole_file_out_unless_told_otherwise()
    {
        var data = _folder["data"];
        var path = Fixture("otpauth.txt");

        var dry = await RunAsync(data, path, "otpauth", "", "--dry-run");
        var run = await RunAsync(data, path, "otpauth", "");
        var list = await ServerProgram.RunAsync("audit", "list", "--data", data);

        Assert.Equal((1, 1), (dry.ExitCode, run.ExitCode));
        Assert.Equal(15, Count(dry.Output, "\n"));
        Assert.Equal(dry.Output.Split('\n').Where(line => !line.Contains(": enabled ", StringComparison.Ordinal)), run.Output.Split('\n'));
        Assert.Contains("Nothing was imported", run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("import", list.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_its_owner_never_confirmed_waits_for_a_first_code()
    {
        await using var server = await ServerProcess.StartAsync();
        var told = await RunAsync(server, await IdentityAsync(), "aspnet-identity", "--account-from", "username", "--skip-broken");
        Assert.Contains("user 2: pending bob", told.Output, StringComparison.Ordinal);

        var app = new ForeignApp("bob", Rfc20);
        var status = await server.Dev.GetStatusAsync("bob");
        Assert.Equal(State.Pending, status.State);
        await Refused.AsNotEnabledAsync(async () => await server.Dev.VerifyAsync("bob", await app.CodeAsync(app.Step)));

        var reply = await server.Dev.VerifyAsync("bob", await app.CodeAsync(app.Step), status.Pending.EnrollmentId);

        Assert.Equal(Verdict.Accepted, reply.Verdict);
        Assert.Equal(State.Enabled, (await server.Dev.GetStatusAsync("bob")).State);
    }

    [Fact]
    public async Task Steps_that_the_other_program_has_seen_used_stay_used_and_wrong_codes_counted()
    {
        await using var server = await ServerProcess.StartAsync();
        var app = new ForeignApp("alice", Rfc20);
        var step = app.Step;
        var path = await WriteAsync($$"""{"account":"alice","secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ","last_step":{{step}},"failures":3}""");
        Assert.Equal(0, (await RunAsync(server, path, "jsonl")).ExitCode);

        var reply = await server.Dev.VerifyAsync("alice", await app.CodeAsync(step));

        Assert.Equal((Verdict.Rejected, 1), (reply.Verdict, reply.AttemptsRemaining));
    }

    [Fact]
    public async Task An_import_that_was_killed_is_whole_after_another_run()
    {
        await using var server = await ServerProcess.StartAsync();
        var rows = Enumerable.Range(0, 600).Select(i => $$"""{"account":"a{{i}}","secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}""");
        var path = await WriteAsync(string.Join('\n', rows));
        var start = ServerProgram.Command("import", path, "--format", "jsonl", "--data", server.Data);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using (var killed = System.Diagnostics.Process.Start(start)!)
        {
            for (var i = 0; i < 100; i++) Assert.NotNull(await killed.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
            killed.Kill();
            await killed.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var again = await RunAsync(server, path, "jsonl");

        Assert.True(again.ExitCode == 0, again.Errors);
        Assert.True(Count(again.Output, ": unchanged ") >= 100, "What was told was not there.");
        Assert.Equal(600, Count(again.Output, ": unchanged ") + Count(again.Output, ": enabled "));
        Assert.Equal(600, (await Trail.ListAsync(server, "--caller", $"operator:{Environment.UserName}")).Count(row => row.Account.Length > 0));
        await Trail.AssertWholeAsync(server);
    }

    [Fact]
    public async Task What_is_exported_comes_in_elsewhere_with_its_used_steps()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var elsewhere = await ServerProcess.StartAsync();
        var owner = await Owner.EnrolAsync(server.Dev);
        var file = _folder["accounts.jsonl"];
        Start.RefusedWith(await ServerProgram.RunAsync("export", file, "--data", server.Data), ["--include-secrets"]);
        Start.RefusedWith(await ServerProgram.RunAsync("export", file, "--include-secrets", "--data", _folder["none"]), ["no database"]);

        var told = await ServerProgram.RunAsync("export", file, "--include-secrets", "--data", server.Data);

        Assert.True(told.ExitCode == 0, told.Errors);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Start.RefusedWith(await ServerProgram.RunAsync("export", file, "--include-secrets", "--data", server.Data), [file, "already"]);
        server.Secrets.AssertNoneIn([told.Output, told.Errors]);
        Assert.Contains(await Trail.ListAsync(server), row => row is { Act: "operator", Outcome: "done", Account: "" } && row.Caller.StartsWith("operator:", StringComparison.Ordinal));
        Assert.Equal(0, (await RunAsync(elsewhere, file, "jsonl")).ExitCode);
        Assert.Equal(Verdict.Rejected, (await elsewhere.Dev.VerifyAsync(owner.Account, owner.UsedCode)).Verdict);
        Assert.Equal(Verdict.Accepted, (await elsewhere.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);

        var uris = _folder["uris.txt"];
        Assert.Equal(0, (await ServerProgram.RunAsync("export", uris, "--format", "otpauth", "--include-secrets", "--data", server.Data)).ExitCode);
        Assert.Equal(owner.Enrolled.OtpauthUri, (await File.ReadAllTextAsync(uris, TestContext.Current.CancellationToken)).Trim());
    }

    [Fact]
    public async Task No_report_holds_a_secret_and_a_password_that_is_wrong_opens_nothing()
    {
        var data = _folder["data"];
        var secrets = new Secrets();
        secrets.Add("GEZDGNBVGY3TQOJQ", "Dh7pBd0RUmyMyRjn4DYw", "correct horse battery staple", "CfDJ8NprotectedText", "ab2c3-de4f5");
        var said = new List<Ended>();
        foreach (var (format, path) in new[] { ("keycloak", Fixture("keycloak-realm.json")), ("aegis", Fixture("aegis-encrypted.json")),
                     ("aspnet-identity", await IdentityAsync()), ("otpauth", Fixture("otpauth.txt")) })
            said.Add(await RunAsync(data, path, format, "correct horse battery staple", "--skip-broken", "--tenant", format, "--output", "json"));

        Assert.All(said, ended => Assert.Equal(0, ended.ExitCode));
        secrets.AssertNoneIn(said.Select(ended => ended.Output + ended.Errors));
        Assert.Contains("""{"row":"line 9","account":"grace","outcome":"broken","detail":"secret: missing, or not Base32"}""", said[3].Output, StringComparison.Ordinal);
        Start.RefusedWith(await RunAsync(data, Fixture("aegis-encrypted.json"), "aegis", "guess"), ["password"]);
    }

    private static string Fixture(string name) => Path.Combine(ServerProgram.Repository, "tests/Server.Tests/Transfer/fixtures", name);

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    private static Task<Ended> RunAsync(ServerProcess server, string path, string format, params string[] more) =>
        RunAsync(server.Data, path, format, "correct horse battery staple", more);

    private static Task<Ended> RunAsync(string data, string path, string format, string password, params string[] more) => OutsideProgram.RunAsync(
        ServerProgram.Command(["import", path, "--format", format, "--data", data, .. more]), Encoding.UTF8.GetBytes(password + "\n"));

    private async Task<string> WriteAsync(string text)
    {
        var path = _folder["accounts"];
        await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
        return path;
    }

    private async Task<string> IdentityAsync()
    {
        var path = _folder["identity.db"];
        await using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the fixture
        command.CommandText = await File.ReadAllTextAsync(Fixture("identity.sql"), TestContext.Current.CancellationToken);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return path;
    }
}
