using System.Text.Json;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Delivery;

/// <summary>A mail that the mail server took, as Python's parsers read it.</summary>
internal sealed class Mail(JsonElement told)
{
    public string Sender => told.GetProperty("sender").GetString()!;

    public string[] Recipients => Strings("recipients");

    public string Type => told.GetProperty("type").GetString()!;

    /// <summary>The content types of what it consists of, in their order.</summary>
    public string[] Parts => Strings("parts");

    /// <summary>What the parser had to put up with.</summary>
    public string[] Defects => Strings("defects");

    public string Text => told.GetProperty("text").GetString()!.ReplaceLineEndings("\n");

    /// <summary>What a browser shows of the HTML part.</summary>
    public string Page => told.GetProperty("page").GetString()!;

    /// <summary>The elements that a browser makes of the HTML part.</summary>
    public string[] Elements => Strings("elements");

    public string[] HeaderNames => [.. told.GetProperty("headers").EnumerateArray().Select(h => h.GetProperty("name").GetString()!)];

    /// <summary>The code: the first word of the text.</summary>
    public string Code => Text[..6];

    /// <summary>A header that there is once.</summary>
    public string Header(string name) => Assert.Single(
        told.GetProperty("headers").EnumerateArray(), h => h.GetProperty("name").GetString()!.Equals(name, StringComparison.OrdinalIgnoreCase))
        .GetProperty("value").GetString()!;

    private string[] Strings(string name) => [.. told.GetProperty(name).EnumerateArray().Select(e => e.GetString()!)];
}

/// <summary>The mail server: aiosmtpd (Debian package python3-aiosmtpd), which shares no code with the sender.</summary>
internal sealed class MailPeer : IAsyncDisposable
{
    public const string User = "mfa-mailer";
    public const string From = "mfa@mail.example.org";

    private readonly List<Peer> _gone = [];
    private readonly TempFolder _folder = new();
    private readonly string _password = $"p-{Guid.NewGuid():N}";
    private readonly bool _login;

    private MailPeer(bool login) => _login = login;

    public Peer Program { get; private set; } = null!;

    public int Port { get; private set; }

    /// <summary>What the server must be told to send through it, in production.</summary>
    public string[] Settings =>
    [
        "smtp:host=localhost", $"smtp:port={Port}", $"smtp:caFile={_folder["ca.pem"]}", $"smtp:from={From}", "sends:gapSeconds=0",
        "sends:perAccountHour=100", "messages:mute=enabled", // what is sent is what was asked for
        "sends:perDestinationDay=100", "log:level=Trace",
        .. _login ? [$"smtp:user={User}", $"smtp:passwordFile={_folder["password"]}"] : Array.Empty<string>(),
    ];

    /// <param name="certificates">Who vouches for it; a good one when not given.</param>
    /// <param name="login">Whether the sender is told a login. The mail server asks for one in any case.</param>
    public static async Task<MailPeer> StartAsync(string fault = "none", Certificates? certificates = null, bool login = true)
    {
        var peer = new MailPeer(login);
        certificates ??= Certificates.For("localhost");
        await File.WriteAllTextAsync(peer._folder["ca.pem"], certificates.Trusted);
        await File.WriteAllTextAsync(peer._folder["chain.pem"], certificates.Chain);
        await File.WriteAllTextAsync(peer._folder["key.pem"], certificates.Key);
        await File.WriteAllTextAsync(peer._folder["password"], peer._password + "\n");
        File.SetUnixFileMode(peer._folder["password"], UnixFileMode.UserRead);
        await peer.StartAgainAsync(fault);
        return peer;
    }

    /// <summary>Ends it, if it runs, and starts it on the same port.</summary>
    public async Task StartAgainAsync(string fault = "none")
    {
        if (Program is not null)
        {
            await Program.DisposeAsync();
            _gone.Add(Program);
        }

        Program = Peer.StartPython("smtp_peer.py", "--port", $"{Port}", "--fault", fault, "--user", User, "--password", _password,
            "--certificate", _folder["chain.pem"], "--key", _folder["key.pem"]);
        Port = (await Program.EventsAsync("ready", 1))[0].GetProperty("port").GetInt32();
    }

    /// <summary>How the connections to come are treated. Those that are open stay as they are.</summary>
    public async Task SetFaultAsync(string fault)
    {
        await Program.SayAsync(fault);
        await Program.EventsAsync(1, e => e.TryGetProperty("now", out var now) && now.GetString() == fault);
    }

    /// <summary>The first so many mails to an address since the start of the program that runs.</summary>
    public async Task<Mail[]> MailsAsync(string address, int count = 1)
    {
        var told = await Program.EventsAsync(count, e => e.GetProperty("event").GetString() == "mail" && new Mail(e).Recipients.Contains(address));
        return [.. told.Select(e => new Mail(e))];
    }

    public async Task<Mail> MailAsync(string address) => (await MailsAsync(address))[0];

    /// <summary>How many of the codes that were mailed to someone count.</summary>
    public async Task<int> AcceptedCodesAsync(ServerProcess server, Recipient owner)
    {
        var accepted = 0;
        foreach (var code in (await MailsAsync(owner.To)).Select(m => m.Code).Distinct())
        {
            var reply = accepted == 0 ? await owner.FinishAsync(code) : await server.Dev.VerifyAsync(owner.Account, code);
            if (reply.Verdict == Verdict.Accepted) accepted++;
        }

        return accepted;
    }

    /// <summary>How often something happened, also in its earlier lives.</summary>
    public int Count(string name) => _gone.Append(Program).Sum(p => p.Events(name).Length);

    public async Task<ServerProcess> StartServerAsync(params string[] more)
    {
        var server = await ServerProcess.StartInProductionAsync([.. Settings, .. more]);
        server.Secrets.Add(_password);
        await server.Dev.GetStatusAsync("nobody"); // compiles what every call needs: it is not to be timed
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await Program.DisposeAsync();
        _folder.Dispose();
    }
}
