using System.Net;
using Mfa.Server.Domain;

namespace Mfa.Server.Delivery;

/// <summary>Where a Kannel gateway takes SMS.</summary>
internal sealed record KannelOptions
{
    /// <summary>
    /// The sendsms address, such as http://127.0.0.1:13013/cgi-bin/sendsms. Empty: no such gateway. The gateway's sendsms-user
    /// needs max-messages = 3 or more: by default it cuts a text off after one SMS, and the last line is lost.
    /// </summary>
    public string Url { get; init; } = "";

    public string User { get; init; } = "";

    /// <summary>A file with the password of the sendsms-user.</summary>
    public string PasswordFile { get; init; } = "";

    /// <summary>The sender that phones show. Empty: the gateway's.</summary>
    public string From { get; init; } = "";
}

/// <summary>Hands SMS to a Kannel smsbox. It answers 202 once the message is queued there.</summary>
internal sealed class KannelSender(KannelOptions options, HttpClient http) : ISender
{
    public string Name => "kannel";

    public Channel Channel => Channel.Sms;

    public async Task SendAsync(Guid id, MessageContent message, CancellationToken ct)
    {
        var fields = new Dictionary<string, string>
        {
            ["username"] = options.User,
            ["password"] = SecretFile.Read(options.PasswordFile),
            ["to"] = message.To,
            ["text"] = message.Text,
            ["charset"] = "UTF-8",
            ["coding"] = message.Text.All(char.IsAscii) ? "0" : "2", // GSM 7 bit, or UCS-2 for what that lacks
        };
        if (options.From.Length > 0) fields["from"] = options.From;

        var query = string.Join('&', fields.Select(f => $"{f.Key}={Uri.EscapeDataString(f.Value)}"));
        using var answer = await HttpSend.GetAsync(http, new Uri($"{options.Url}?{query}"), ct);
        if (answer.StatusCode != HttpStatusCode.Accepted) throw new SendFailedException($"answered {(int)answer.StatusCode}");
    }
}
