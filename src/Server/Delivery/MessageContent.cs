using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mfa.Server.Delivery;

/// <summary>All that a sender needs to know; what is sealed in the outbox.</summary>
/// <param name="To">An address or an E.164 number.</param>
/// <param name="Subject">Empty for SMS.</param>
/// <param name="Html">Empty for SMS.</param>
internal sealed record MessageContent(string To, string Subject, string Text, string Html)
{
    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, MessageContentJson.Default.MessageContent);

    public static MessageContent Decode(byte[] bytes) =>
        JsonSerializer.Deserialize(bytes, MessageContentJson.Default.MessageContent) ?? throw new JsonException("An empty message.");

    public override string ToString() => nameof(MessageContent);
}

[JsonSerializable(typeof(MessageContent))]
internal sealed partial class MessageContentJson : JsonSerializerContext;
