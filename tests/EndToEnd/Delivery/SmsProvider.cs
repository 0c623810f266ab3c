using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Delivery;

/// <summary>
/// A second provider of SMS. No program that speaks the Twilio-compatible API can be installed here: this one is ours, so it
/// shows what the server does when a provider fails, and only our reading of that API.
/// </summary>
internal sealed class SmsProvider : IAsyncDisposable
{
    private const string Account = "AC0123456789";
    private const string Number = "+14165550100";

    private readonly TempFolder _folder = new();

    private SmsProvider(Peer program, string token) => (Program, Token) = (program, token);

    public Peer Program { get; }

    public string Token { get; }

    public int Port { get; private set; }

    public string[] Settings =>
        [$"twilio:url=http://127.0.0.1:{Port}", $"twilio:account={Account}", $"twilio:tokenFile={_folder["token"]}", $"twilio:from={Number}"];

    /// <param name="answer">The status that a right request gets.</param>
    public static async Task<SmsProvider> StartAsync(int answer = 201)
    {
        var token = $"t-{Guid.NewGuid():N}";
        var provider = new SmsProvider(Peer.StartPython("sms_provider.py", Account, token, $"{answer}"), token);
        await File.WriteAllTextAsync(provider._folder["token"], token);
        File.SetUnixFileMode(provider._folder["token"], UnixFileMode.UserRead);
        provider.Port = (await provider.Program.EventsAsync("ready", 1))[0].GetProperty("port").GetInt32();
        return provider;
    }

    public async Task AnswerAsync(int status)
    {
        await Program.SayAsync($"{status}");
        await Program.EventsAsync(1, e => e.TryGetProperty("now", out var now) && now.GetInt32() == status);
    }

    /// <summary>The text of the first SMS to a number.</summary>
    public async Task<string> TextAsync(string to)
    {
        var told = await Program.EventsAsync(1, e => e.GetProperty("event").GetString() == "sms" && e.GetProperty("to").GetString() == to);
        Assert.Equal(Number, told[0].GetProperty("from").GetString());
        return told[0].GetProperty("body").GetString()!;
    }

    public async ValueTask DisposeAsync()
    {
        await Program.DisposeAsync();
        _folder.Dispose();
    }
}
