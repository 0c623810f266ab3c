using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Mfa.Polyglot;

/// <summary>What a story saved, and the texts that are made of it.</summary>
internal sealed partial class Placeholders(Dictionary<string, JsonNode> saved)
{
    public void Save(string name, JsonNode value) => saved[name] = value.DeepClone();

    public JsonNode Fill(JsonNode value, long now) => value switch
    {
        JsonObject fields => new JsonObject(fields.Select(field => KeyValuePair.Create(field.Key, (JsonNode?)Fill(field.Value!, now)))),
        JsonValue text when text.TryGetValue(out string? filled) => JsonValue.Create(Braces().Replace(filled, match => Of(match.Groups[1].Value.Split(' '), now))),
        _ => value.DeepClone(),
    };

    private string Of(string[] words, long now) => words[0] switch
    {
        "totp" => Totp((string)saved[words[1]]!, now, words.Length > 2 ? int.Parse(words[2], CultureInfo.InvariantCulture) : 0),
        "wrong" => Wrong((string)saved[words[1]]!, now),
        "other_than" => $"{(int.Parse((string)saved[words[1]]!, CultureInfo.InvariantCulture) + 1) % 1_000_000:D6}",
        "uuid" => Uuid($"uuid {words[1]}"),
        "long" => new string('x', int.Parse(words[1], CultureInfo.InvariantCulture)),
        "lower" => Of(words[1..], now).ToLowerInvariant().Replace("-", "", StringComparison.Ordinal),
        "typo" => Of(words[1..], now) is var code ? code[..^1] + (code[^1] == '0' ? '1' : '0') : "",
        _ => words[0].Split('.') is [var name, var item] ? (string)saved[name][int.Parse(item, CultureInfo.InvariantCulture)]! : (string)saved[words[0]]!,
    };

    private string Uuid(string name)
    {
        if (!saved.ContainsKey(name)) saved[name] = Guid.NewGuid().ToString();
        return (string)saved[name]!;
    }

    private static string Wrong(string secret, long now)
    {
        var near = Enumerable.Range(-3, 7).Select(steps => Totp(secret, now, steps));
        return Enumerable.Range(0, 8).Select(number => $"{number:D6}").Except(near).First();
    }

    private static string Totp(string secret, long now, int steps)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, now / 30 + steps);
#pragma warning disable CA5350 // RFC 6238 with SHA-1 is what authenticator apps compute
        var digest = HMACSHA1.HashData(Base32(secret), counter);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadInt32BigEndian(digest.AsSpan(digest[^1] & 15)) & 0x7FFFFFFF;
        return $"{number % 1_000_000:D6}";
    }

    private static byte[] Base32(string text)
    {
        var bits = string.Concat(text.Select(symbol => Convert.ToString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(symbol), 2).PadLeft(5, '0')));
        return [.. bits.Chunk(8).Where(eight => eight.Length == 8).Select(eight => Convert.ToByte(new string(eight), 2))];
    }

    [GeneratedRegex(@"\{([^}]*)\}", RegexOptions.None, 1000)]
    private static partial Regex Braces();
}
