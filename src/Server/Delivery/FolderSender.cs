using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Domain;

namespace Mfa.Server.Delivery;

/// <summary>
/// The development mailbox: writes messages to a folder instead of sending them, one file each, the newest name sorting last.
/// </summary>
internal sealed class FolderSender(Channel channel, string folder, TimeProvider clock) : ISender
{
    private static int _written; // tells apart what was written within one tick of the clock

    public string Name => "folder";

    public Channel Channel => channel;

    public async Task SendAsync(Guid id, MessageContent message, CancellationToken ct)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var name = Path.Combine(folder, $"{clock.GetUtcNow().UtcDateTime:yyyyMMdd'T'HHmmss.fffffff}-{Interlocked.Increment(ref _written):D9}-{id:N}");
        var path = channel == Channel.Email ? $"{name}.eml" : $"{name}.sms.json";
        var unfinished = $"{name}.tmp"; // a reader never meets half a message
        await using (var file = new FileStream(unfinished, FileMode.Create, FileAccess.Write))
        {
            if (channel == Channel.Email) await MailMessages.Build(message, "MfaGrpc", "no-reply@localhost.localdomain", id).WriteToAsync(file, ct);
            else await JsonSerializer.SerializeAsync(file, new SmsFile(message.To, message.Text), SmsFileJson.Default.SmsFile, ct);
        }

        File.Move(unfinished, path, overwrite: true);
    }
}

internal sealed record SmsFile(string To, string Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(SmsFile))]
internal sealed partial class SmsFileJson : JsonSerializerContext;
