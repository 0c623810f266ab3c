using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Install;

/// <summary>The Debian package on a Debian that runs systemd, from `dpkg --install` to a purge.</summary>
public sealed class SystemdTests
{
    /// <summary>Runs where the server will, and tries what only its unit keeps it from: everybody else may do all of it.</summary>
    private const string Probe = """
        [Service]
        ExecStartPre=/bin/sh -c 'test "$(id -un)" = mfa-server && touch /var/lib/mfa-server/probe \
          && ! touch /srv/open/probe && ! touch /home/open/probe && ! test -d /proc/1 && ! unshare --user true'
        """;

    [Fact]
    public async Task It_is_started_kept_running_shut_in_and_stopped()
    {
        var (grpc, web) = (FreePort.Next(), FreePort.Next());
        var ready = $"curl --silent --fail --retry 60 --retry-delay 1 --retry-connrefused http://127.0.0.1:{web}/startupz";
        await using var debian = await BootedDebian.StartAsync(Packages.Debian);
        await debian.DoneAsync($"mkdir /etc/mfa-server; printf 'LISTEN=http://127.0.0.1:{grpc}\\nWEB=http://127.0.0.1:{web}\\n' >/etc/mfa-server/environment");

        await debian.DoneAsync($"dpkg --force-confold --install /run/host/{Path.GetFileName(Packages.Debian)}");

        Assert.Equal("systemd", await debian.DoneAsync("cat /proc/1/comm"));
        Assert.Equal("enabled\nactive", await debian.DoneAsync("systemctl is-enabled mfa-server; systemctl is-active mfa-server"));
        await debian.DoneAsync(ready);
        var key = await debian.DoneAsync("runuser -u mfa-server -- mfa-server keys create shop --scopes verify,enroll --data /var/lib/mfa-server");
        using var caller = new Caller(new Uri($"http://127.0.0.1:{grpc}"), [$"Bearer {key}"], new Secrets());
        await Owner.AssertServedAsync(caller);

        await debian.DoneAsync("systemctl kill --signal=KILL mfa-server; until [ \"$(systemctl show -P NRestarts mfa-server)\" = 1 ]; do sleep 0.1; done");
        await debian.DoneAsync(ready);
        await Owner.AssertServedAsync(caller);

        await debian.DoneAsync("mkdir --mode 1777 /srv/open /home/open");
        await debian.DoneAsync($"mkdir /etc/systemd/system/mfa-server.service.d; cat >/etc/systemd/system/mfa-server.service.d/probe.conf <<'END'\n{Probe}\nEND");
        await debian.DoneAsync("systemctl daemon-reload; systemctl restart mfa-server || { journalctl --unit mfa-server --lines 30; exit 1; }");
        await debian.DoneAsync(ready);
        await Owner.AssertServedAsync(caller);

        await debian.DoneAsync("systemctl stop mfa-server");
        Assert.Equal("success\n0\ninactive", await debian.DoneAsync("systemctl show -P ActiveState -P Result -P ExecMainStatus mfa-server"));
        await debian.DoneAsync("dpkg --purge mfa-server; test -f /var/lib/mfa-server/keys.json; ! test -e /lib/systemd/system/mfa-server.service");
    }
}
