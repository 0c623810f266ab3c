using System.Globalization;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Delivery;

/// <summary>Mail servers that neither take a message nor refuse it.</summary>
public sealed class MailStallTests
{
    /// <summary>Connections that the server opens at once: a mail server that takes few must not be flooded by one sender.</summary>
    private const int AtOnce = 16;

    [Fact]
    public async Task Mail_servers_that_take_for_ever_hold_up_no_caller_and_pile_up_nothing() // DL11, DL12
    {
        const int Accounts = 50;
        await using var mail = await MailPeer.StartAsync("stall"); // one half of the connections hangs, the other drips a byte a second
        await using var server = await mail.StartServerAsync();
        var before = ThreadsOf(server);

        var owners = await Task.WhenAll(Enumerable.Range(0, Accounts).Select(_ => Promptly.EnableAsync(server)));
        await Task.WhenAll(owners.Select(owner => Promptly.RunAsync(owner.AskAsync)));
        await mail.Program.EventsAsync("connected", AtOnce);

        Assert.Equal(0, mail.Count("mail"));
        Assert.True(ThreadsOf(server) - before < Accounts / 2, $"{ThreadsOf(server) - before} more threads");
        Assert.InRange(mail.Count("connected") - mail.Count("closed"), 1, AtOnce);

        await mail.SetFaultAsync("none"); // what hangs stays as it is: it is for the server to let go
        foreach (var owner in owners)
        {
            await owner.DeliveryAsync(d => d.State == DeliveryState.Sent);
            Assert.Equal(1, await mail.AcceptedCodesAsync(server, owner));
        }
    }

    /// <summary>The server is the one process that was started on its folder.</summary>
    private static int ThreadsOf(ServerProcess server)
    {
        var process = Assert.Single(Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])),
            folder => CommandOf(folder).Split('\0') is var words && words.Contains("serve") && words.Contains(server.Data));
        var line = File.ReadLines(Path.Combine(process, "status")).Single(l => l.StartsWith("Threads:", StringComparison.Ordinal));
        return int.Parse(line["Threads:".Length..].Trim(), CultureInfo.InvariantCulture);
    }

    private static string CommandOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (IOException)
        {
            return ""; // ended meanwhile
        }
    }
}
