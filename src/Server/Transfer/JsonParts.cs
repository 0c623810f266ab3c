using System.Text.Json;

namespace Mfa.Server.Transfer;

/// <summary>Parts of large JSON files, taken out one by one; and fields of whatever kind read without a throw.</summary>
internal static class JsonParts
{
    /// <summary>Held in memory as a whole; a realm of a million people is about 2 GB, and is exported in several files.</summary>
    public const long LargestFile = 512L << 20;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 64 };

    /// <exception cref="StartRefusedException">Too large.</exception>
    public static byte[] ReadFile(string path)
    {
        using var file = File.OpenRead(path);
        if (file.Length > LargestFile) throw new StartRefusedException($"{path}: larger than {LargestFile >> 20} MiB. Export it in several files.");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
    }

    /// <summary>Where the elements of an array stand, found by the names that lead to it; an empty list when it is not there.</summary>
    /// <exception cref="JsonException">Not JSON as a whole.</exception>
    public static List<Range> Elements(byte[] json, params ReadOnlySpan<string> names)
    {
        var elements = new List<Range>();
        var reader = new Utf8JsonReader(json, Options);
        var depth = 0; // how many of the names have been met
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != depth + 1) continue;
            var met = depth < names.Length && reader.ValueTextEquals(names[depth]);
            reader.Read();
            if (met && depth + 1 < names.Length && reader.TokenType == JsonTokenType.StartObject)
            {
                depth++;
            }
            else if (met && depth + 1 == names.Length && reader.TokenType == JsonTokenType.StartArray)
            {
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    var start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    elements.Add(start..(int)reader.BytesConsumed);
                }
            }
            else
            {
                reader.Skip();
            }
        }

        return elements;
    }

    public static JsonElement? Field(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var field) && field.ValueKind != JsonValueKind.Null ? field : null;

    public static string Text(this JsonElement element, string name) =>
        element.Field(name) is { ValueKind: JsonValueKind.String } field ? field.GetString()! : "";

    public static bool? Flag(this JsonElement element, string name) =>
        element.Field(name) is { ValueKind: JsonValueKind.True or JsonValueKind.False } field ? field.GetBoolean() : null;

    /// <returns>Null when it is no whole number; <paramref name="usual"/> when it is not there.</returns>
    public static long? Number(this JsonElement element, string name, long? usual) =>
        element.Field(name) is not { } field ? usual
        : field.ValueKind == JsonValueKind.Number && field.TryGetInt64(out var number) ? number : null;

    public static IEnumerable<JsonElement> Items(this JsonElement element, string name) =>
        element.Field(name) is { ValueKind: JsonValueKind.Array } field ? field.EnumerateArray() : [];
}
