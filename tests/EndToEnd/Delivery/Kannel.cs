using System.Net;
using System.Net.NetworkInformation;
using System.Text;
using System.Text.RegularExpressions;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Delivery;

/// <summary>An SMS as the fake SMS centre got it from the gateway.</summary>
/// <param name="Coding">text (7 bit) or ucs-2.</param>
internal sealed record Sms(string To, string Coding, string Text);

/// <summary>
/// A Kannel gateway (Debian package kannel) with the fake SMS centre of its makers (kannel-extras) behind it. They share no
/// code with the sender.
/// </summary>
internal sealed partial class Kannel : IAsyncDisposable
{
    private const string User = "mfa-sms";

    private readonly TempFolder _folder = new();
    private readonly List<Peer> _running = [];

    private Kannel()
    {
    }

    public string Password { get; } = $"k-{Guid.NewGuid():N}";

    public int Port { get; } = FreePort.Next();

    public string[] Settings =>
        [$"kannel:url=http://127.0.0.1:{Port}/cgi-bin/sendsms", $"kannel:user={User}", $"kannel:passwordFile={_folder["password"]}"];

    /// <summary>Its parts find each other over ports that are told beforehand.</summary>
    public static async Task<Kannel> StartAsync()
    {
        var kannel = new Kannel();
        var (boxes, centre) = (FreePort.Next(), FreePort.Next());
        await File.WriteAllTextAsync(kannel._folder["password"], kannel.Password);
        File.SetUnixFileMode(kannel._folder["password"], UnixFileMode.UserRead);
        var configuration = kannel._folder["kannel.conf"];
        await File.WriteAllTextAsync(configuration, $"""
            group = core
            admin-port = {FreePort.Next()}
            admin-interface = 127.0.0.1
            admin-password = {Guid.NewGuid():N}
            smsbox-port = {boxes}
            box-allow-ip = 127.0.0.1
            box-deny-ip = *.*.*.*

            group = smsc
            smsc = fake
            host = 127.0.0.1
            port = {centre}
            connect-allow-ip = 127.0.0.1

            group = smsbox
            bearerbox-host = 127.0.0.1
            sendsms-port = {kannel.Port}
            sendsms-interface = 127.0.0.1
            global-sender = 12345

            group = sendsms-user
            username = {User}
            password = {kannel.Password}
            max-messages = 3

            """);
        try
        {
            kannel._running.Add(Peer.Start("kannel", "/usr/sbin/bearerbox", "-v", "0", configuration));
            await ListeningAsync(kannel._running[0], boxes, centre);
            kannel._running.Add(Peer.Start("kannel-extras", "/usr/lib/kannel/test/fakesmsc", "-H", "127.0.0.1", "-r", $"{centre}", "-m", "0", "1 2 text x"));
            kannel._running.Add(Peer.Start("kannel", "/usr/sbin/smsbox", "-v", "0", configuration));
            await kannel._running[0].WaitAsync(1, line => line.Contains("Fakesmsc client connected", StringComparison.Ordinal) ? line : null);
            await kannel._running[2].WaitAsync(1, line => line.Contains("Connected to bearerbox", StringComparison.Ordinal) ? line : null);
            await ListeningAsync(kannel._running[2], kannel.Port);
            return kannel;
        }
        catch
        {
            await kannel.DisposeAsync();
            throw;
        }
    }

    /// <summary>The SMS whose last line ends it as all of ours do; a long one, which goes out in parts, is put together.</summary>
    public async Task<Sms> SmsAsync(string to)
    {
        await _running[1].WaitAsync(1, _ => Messages(_running[1].Lines, to).LastOrDefault(sms => EndOfSms().IsMatch(sms.Text)));
        return Assert.Single(Messages(_running[1].Lines, to));
    }

    /// <summary>Cuts its life short.</summary>
    public async Task KillAsync()
    {
        foreach (var part in _running) await part.KillAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_running)) await part.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>The fake centre prints `Got message 1: &lt;sender receiver type text&gt;`; lines of a text each as a message of their own.</summary>
    private static List<Sms> Messages(string[] lines, string to)
    {
        var messages = new List<Sms>();
        foreach (var got in lines.Select(line => GotMessage().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value))
        {
            var words = got.Split(' ', 4);
            if (words is [_, var receiver, "text" or "ucs-2" or "data", var text] && receiver.StartsWith('+'))
                Append(messages, new Sms(receiver, words[2], words[2] == "text" ? text : Encoding.BigEndianUnicode.GetString(WebUtility.UrlDecodeToBytes(Encoding.ASCII.GetBytes(text), 0, text.Length)!)));
            else if (messages.Count > 0)
                messages[^1] = messages[^1] with { Text = $"{messages[^1].Text}\n{got}" };
        }

        return messages.FindAll(sms => sms.To == to);
    }

    private static void Append(List<Sms> messages, Sms sms)
    {
        if (messages.LastOrDefault() is { } last && last.To == sms.To && !EndOfSms().IsMatch(last.Text)) messages[^1] = last with { Text = last.Text + sms.Text };
        else messages.Add(sms);
    }

    private static async Task ListeningAsync(Peer part, params int[] ports)
    {
        while (true)
        {
            var open = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(l => l.Port).ToArray();
            if (ports.All(open.Contains)) return;
            Assert.False(part.HasEnded, string.Join('\n', part.Lines));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    [GeneratedRegex("Got message [0-9]+: <(.*)>$", RegexOptions.None, 1000)]
    private static partial Regex GotMessage();

    [GeneratedRegex("@[a-z.]+ #[0-9]{6}$", RegexOptions.None, 1000)]
    private static partial Regex EndOfSms();
}
