using System.Net.Http.Headers;
using System.Text;
using Mfa.Server.Domain;

namespace Mfa.Server.Delivery;

/// <summary>Where a Twilio-compatible REST API takes SMS.</summary>
internal sealed record TwilioOptions
{
    /// <summary>The API's address. Empty: no such provider.</summary>
    public string Url { get; init; } = "";

    /// <summary>The account SID, which is also the login name.</summary>
    public string Account { get; init; } = "";

    /// <summary>A file with the auth token.</summary>
    public string TokenFile { get; init; } = "";

    /// <summary>The number or sender id to send from.</summary>
    public string From { get; init; } = "";
}

/// <summary>Hands SMS to POST /2010-04-01/Accounts/{Sid}/Messages.json. It answers 201 once the message is queued there.</summary>
internal sealed class TwilioSender(TwilioOptions options, HttpClient http) : ISender
{
    public string Name => "twilio";

    public Channel Channel => Channel.Sms;

    public async Task SendAsync(Guid id, MessageContent message, CancellationToken ct)
    {
        var url = new Uri($"{options.Url.TrimEnd('/')}/2010-04-01/Accounts/{Uri.EscapeDataString(options.Account)}/Messages.json");
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["To"] = message.To,
                ["From"] = options.From,
                ["Body"] = message.Text,
            }),
        };
        var login = $"{options.Account}:{SecretFile.Read(options.TokenFile)}";
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(login)));
        using var answer = await HttpSend.SendAsync(http, request, ct);
        if (!answer.IsSuccessStatusCode) throw new SendFailedException($"answered {(int)answer.StatusCode}");
    }
}
