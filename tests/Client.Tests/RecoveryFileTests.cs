using System.Text.RegularExpressions;

namespace Mfa.Client.Tests;

public sealed class RecoveryFileTests
{
    private const string Name = "alice_Example_Corp_recovery_codes.txt";

    [Theory]
    [InlineData("000")]
    [InlineData("077")]
    public async Task The_file_is_for_its_owner_alone_under_any_umask(string umask)
    {
        await using var server = await StubServer.StartAsync();
        using var folder = new TemporaryFolder();

        var run = await SaveAsync(server, folder, umask);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains($"Written {Name} with recovery codes.", run.Error, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File(Name)));
        Assert.Equal(string.Join('\n', StubServer.RecoveryCodes) + "\n", await File.ReadAllTextAsync(folder.File(Name), TestContext.Current.CancellationToken));
        Assert.Equal([folder.File(Name)], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task It_is_created_private_rather_than_made_private_later()
    {
        await using var server = await StubServer.StartAsync();
        using var folder = new TemporaryFolder();

        // A umask of 0777 takes every bit of the creating call away: bits that are there all the same came from a chmod.
        await SaveAsync(server, folder, "777");

        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(folder.File(Name)));
    }

    [Fact]
    public async Task An_existing_file_is_left_alone_and_that_is_said()
    {
        await using var server = await StubServer.StartAsync();
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File(Name), "older codes");

        var run = await SaveAsync(server, folder, "000");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains($"Nothing was written to {Name}: ", run.Error, StringComparison.Ordinal);
        Assert.Contains("already exists", run.Error, StringComparison.Ordinal);
        Assert.Equal("older codes", File.ReadAllText(folder.File(Name)));
        Assert.Equal(StubServer.RecoveryCodes, run.OutputLines[..8]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_symbolic_link_is_not_followed_even_when_it_dangles(bool dangling)
    {
        await using var server = await StubServer.StartAsync();
        using var folder = new TemporaryFolder();
        using var elsewhere = new TemporaryFolder();
        if (!dangling) File.WriteAllText(elsewhere.File("target"), "mine");
        File.CreateSymbolicLink(folder.File(Name), elsewhere.File("target"));

        var run = await SaveAsync(server, folder, "000");

        Assert.Contains($"Nothing was written to {Name}: ", run.Error, StringComparison.Ordinal);
        Assert.Equal(!dangling, File.Exists(elsewhere.File("target")));
        if (!dangling) Assert.Equal("mine", File.ReadAllText(elsewhere.File("target")));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_to_is_said()
    {
        await using var server = await StubServer.StartAsync();

        // Not even root may create files there.
        var run = await MfaProgram.RunAsync(server, "--account a mk AUTHENTICATOR", "n\nn\ny\n123456\n", ["MFA_API_KEY=k"], folder: "/proc");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Nothing was written to ", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alice", "Example Corp", "alice_Example_Corp_recovery_codes.txt")]
    [InlineData("../../etc/passwd", "x", "__.._etc_passwd_x_recovery_codes.txt")]
    [InlineData(".hidden", "a\u001b[2Jb", "_hidden_a__2Jb_recovery_codes.txt")]
    [InlineData("-rf", "", "_rf___recovery_codes.txt")]
    [InlineData("é@x+y.z", "/", "_@x+y.z___recovery_codes.txt")]
    public void Names_are_made_safe(string account, string issuer, string expected) =>
        Assert.Equal(expected, RecoveryFile.Name(account, issuer));

    [Fact]
    public void Names_fit_into_a_directory()
    {
        var name = RecoveryFile.Name(new string('a', 5000), new string('b', 5000));

        Assert.Matches(new Regex("^[A-Za-z0-9._@+-]{1,255}$", RegexOptions.None, TimeSpan.FromSeconds(1)), name);
    }

    private static Task<Finished> SaveAsync(StubServer server, TemporaryFolder folder, string umask) =>
        MfaProgram.RunAsync(server, "--username alice mk AUTHENTICATOR", "n\nn\nyes\n123456\n", ["MFA_PASSWORD=p"], folder.Path, umask);
}
