using System.Diagnostics;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Install;

/// <summary>The Debian package, installed by dpkg into a root where nothing else is.</summary>
public sealed class DebianPackageTests : IDisposable
{
    private const string Unit = "lib/systemd/system/mfa-server.service";

    private readonly TempFolder _folder = new();

    private string Root => _folder["root"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_installs_serves_as_its_unit_says_and_leaves_everybodys_factors_when_it_is_purged()
    {
        await DpkgAsync("--install", Packages.Debian);

        Assert.Contains("mfa-server:", await ReadAsync("etc/passwd"), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(Root, "var/lib/mfa-server")));
        Assert.Equal("", await Packages.DoneAsync(Packages.AsRoot("dpkg", $"--root={Root}", "--verify", "mfa-server")));
        await using (var server = await StartAsync())
        {
            await Owner.AssertServedAsync(server.Caller);
            await AssertClientAsync(server);
        }

        await DpkgAsync("--purge", "mfa-server");

        Assert.False(Path.Exists(Path.Combine(Root, "usr/bin/mfa-server")));
        Assert.False(Path.Exists(Path.Combine(Root, "etc/mfa-server/appsettings.json")));
        Assert.True(File.Exists(Path.Combine(Root, "var/lib/mfa-server/keys.json")));
    }

    [Fact]
    public async Task Its_unit_is_understood_and_leaves_the_server_little_of_the_machine()
    {
        await Packages.DoneAsync(Packages.AsRoot("dpkg", "--extract", Packages.Debian, Root));
        await Packages.DoneAsync(new ProcessStartInfo("cp", ["--recursive", "--no-clobber", "/lib/systemd/system/.", Path.Combine(Root, "lib/systemd/system")]));

        var verified = await OutsideProgram.RunAsync(new ProcessStartInfo("systemd-analyze", ["verify", $"--root={Root}", "mfa-server.service"]), []);

        Assert.Equal((0, ""), (verified.ExitCode, verified.Output + verified.Errors));
        await Packages.DoneAsync(new ProcessStartInfo("systemd-analyze", // 0 is no exposure at all, 100 all there is
            ["security", "--offline=true", "--threshold=20", "--no-pager", $"--root={Root}", "mfa-server.service"]));
        var unit = await ReadAsync(Unit);
        Assert.All(["User=mfa-server", "NoNewPrivileges=yes", "ProtectSystem=strict", "StateDirectory=mfa-server", "CapabilityBoundingSet=\n"],
            line => Assert.Contains(line, unit, StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_names_all_that_its_programs_load_and_apt_finds_it_where_nothing_is_installed()
    {
        await Packages.DoneAsync(Packages.AsRoot("dpkg", "--extract", Packages.Debian, Root));
        var named = (await Packages.DoneAsync(new ProcessStartInfo("dpkg-deb", ["--field", Packages.Debian, "Depends"])))
            .Split([',', '|'], StringSplitOptions.TrimEntries).Select(one => one.Split(' ')[0]);

        var loaded = await Packages.DoneAsync(ServerProgram.Shell($"""
            set -euo pipefail
            find '{Root}/usr/bin' -type f -exec objdump --private-headers {"{}"} + | awk '$1 == "NEEDED" {"{"} print $2 {"}"}' >'{_folder["needed"]}'
            echo libssl.so.3 >>'{_folder["needed"]}' # loaded when it is first used
            sort -u '{_folder["needed"]}' | while read -r library; do dpkg-query --search "*/$library"; done | cut -d : -f 1 | sort -u
            """));
        var simulated = await Packages.DoneAsync(ServerProgram.Shell(Apt));

        Assert.Empty(Directory.EnumerateFiles(Root, "*.so*", SearchOption.AllDirectories)); // each program is one file
        Assert.Empty(loaded.Split('\n', StringSplitOptions.RemoveEmptyEntries).Except(named));
        Assert.Contains("Conf mfa-server ", simulated, StringComparison.Ordinal);
        Assert.All(["libc6", "libssl3", "ca-certificates", "systemd"], package => Assert.Contains($"Inst {package} ", simulated, StringComparison.Ordinal));
    }

    /// <summary>apt plans an installation into an empty system; what it may choose from is what this machine has.</summary>
    private string Apt => $$"""
        set -euo pipefail
        cd '{{_folder["."]}}'
        mkdir -p apt/lists/partial apt/archives/partial offered && : >apt/status
        awk 'BEGIN {RS = ""; ORS = "\n\n"} /\nStatus: install ok installed\n/ {
          name = $2; sub(/\nStatus: [^\n]*/, ""); print $0 "\nFilename: ./" name ".deb\nSize: 1\nSHA256: 0" }' /var/lib/dpkg/status >offered/Packages
        echo "deb [trusted=yes] file:$PWD/offered ./" >apt/sources
        options=(-o Dir::State="$PWD/apt" -o Dir::State::status="$PWD/apt/status" -o Dir::Cache="$PWD/apt" -o Dir::Etc::sourcelist="$PWD/apt/sources"
          -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root)
        apt-get "${options[@]}" -qq update
        apt-get "${options[@]}" --simulate --no-install-recommends install '{{Packages.Debian}}'
        """;

    private async Task<InstalledServer> StartAsync()
    {
        var words = (await ReadAsync(Unit)).Split('\n').Single(line => line.StartsWith("ExecStart=", StringComparison.Ordinal))["ExecStart=".Length..]
            .Replace("${LISTEN}", "http://127.0.0.1:0", StringComparison.Ordinal).Replace("${WEB}", "http://127.0.0.1:0", StringComparison.Ordinal)
            .Split(' ').Select(word => word.StartsWith('/') ? Root + word : word).ToArray();
        return await InstalledServer.StartAsync(Program(words), Program(
            words[0], "keys", "create", "shop", "--scopes", "verify,enroll", "--data", Path.Combine(Root, "var/lib/mfa-server")));
    }

    private ProcessStartInfo Program(params string[] words)
    {
        var start = new ProcessStartInfo(words[0], words[1..]) { WorkingDirectory = Path.Combine(Root, "etc/mfa-server") };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MFA", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        return start;
    }

    private async Task AssertClientAsync(InstalledServer server)
    {
        var status = Program(Path.Combine(Root, "usr/bin/mfa"), "--endpoint", server.Grpc.GetLeftPart(UriPartial.Authority), "--account", "alice", "status");
        status.Environment["MFA_API_KEY"] = server.Key;
        Assert.Contains("DISABLED", await Packages.DoneAsync(status), StringComparison.Ordinal);
    }

    /// <summary>Its scripts run beside the root instead of in it, where there is no shell; what it stands on is this machine's.</summary>
    private Task<string> DpkgAsync(string what, string subject)
    {
        foreach (var part in new[] { "updates", "info" }) Directory.CreateDirectory(Path.Combine(Root, "var/lib/dpkg", part));
        var status = Path.Combine(Root, "var/lib/dpkg/status");
        if (!File.Exists(status)) File.WriteAllText(status, "");
        return Packages.DoneAsync(Packages.AsRoot("dpkg", $"--root={Root}", "--force-script-chrootless", "--force-depends", what, subject));
    }

    private Task<string> ReadAsync(string file) => File.ReadAllTextAsync(Path.Combine(Root, file), TestContext.Current.CancellationToken);
}
