using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Grpc.Core;

namespace Mfa.Polyglot;

/// <summary>One story, step by step; ../README.md tells what a step means.</summary>
internal sealed partial class Story(JsonNode world, Dictionary<string, Stub> servers, TestDoor tests, string name, int index)
{
    private readonly Placeholders _placeholders = new(new()
    {
        ["account"] = $"{world["language"]}-{name}",
        ["other"] = $"{world["language"]}-{name}-other",
        ["email"] = $"{world["language"]}-{name}@example.org",
        ["phone"] = $"{world["phones"]}{index:D4}",
    });

    public async Task PlayAsync(JsonArray steps)
    {
        foreach (var step in steps.Select(step => step!.AsObject()))
        {
            if (step.ContainsKey("call")) await CallAsync(step);
            else if (step.TryGetPropertyValue("advance", out var seconds)) await tests.AdvanceAsync((int)seconds!);
            else if (step.TryGetPropertyValue("until", out var multiple)) await tests.AdvanceAsync((int)multiple! - await tests.NowAsync() % (int)multiple!);
            else if (step.ContainsKey("message")) await ReadMessageAsync(step);
            else for (var i = 0; i < (int)step["repeat"]!; i++) await PlayAsync(step["steps"]!.AsArray());
        }
    }

    private async Task CallAsync(JsonObject step)
    {
        var rpc = (string)step["call"]!;
        var server = servers[(string?)step["at"] ?? "main"];
        var credential = server.Key ?? (string)world["callers"]![(string?)step["as"] ?? "all"]!;
        var now = await tests.NowAsync();
        JsonNode reply;
        try
        {
            reply = await server.CallAsync(rpc, _placeholders.Fill(step["request"]!, now), credential);
        }
        catch (RpcException error)
        {
            var got = Stub.Read(error);
            Console.WriteLine($"{rpc} {got["status"]} {got["reason"]}");
            ExpectError(step["error"]?.AsObject(), got);
            return;
        }

        Console.WriteLine($"{rpc} OK {reply["verdict"] ?? reply["state"]}");
        if (step["error"] is { } error_) throw new WrongException($"{rpc} succeeded, expected {error_["reason"]}");
        foreach (var (path, wanted) in step["reply"]!.AsObject()) Expect(path, wanted!, At(reply, path), now);
        foreach (var (saved, path) in step["save"]?.AsObject() ?? []) _placeholders.Save(saved, At(reply, (string)path!)!);
    }

    private void Expect(string path, JsonNode wanted, JsonNode? got, long now)
    {
        var right = wanted switch
        {
            JsonObject set when set["set"] is { } expected => IsSet(got) == (bool)expected,
            JsonObject count when count["count"] is { } expected => got is JsonArray list && list.Count == (int)expected,
            JsonObject when wanted["in"] is { } expected => IsSet(got) && Seconds(got!) == now + (int)expected,
            _ => got?.ToJsonString() == _placeholders.Fill(wanted, now).ToJsonString(),
        };
        if (!right) throw new WrongException($"{path}: expected {wanted.ToJsonString()}, got {got?.ToJsonString() ?? "null"}");
    }

    private static void ExpectError(JsonObject? wanted, JsonObject got)
    {
        var all = new JsonObject { ["status"] = "OK", ["reason"] = "", ["fields"] = new JsonArray(), ["limit"] = "", ["retry"] = null };
        foreach (var (part, value) in wanted ?? []) all[part] = value?.DeepClone();
        if (!JsonNode.DeepEquals(all, got)) throw new WrongException($"expected {all.ToJsonString()}, got {got.ToJsonString()}");
    }

    private async Task ReadMessageAsync(JsonObject step)
    {
        var messages = await tests.MessagesAsync((string)_placeholders.Fill(step["message"]!, now: 0)!);
        if (step["count"] is { } count && messages.Count != (int)count) throw new WrongException($"expected {count} messages, got {messages.Count}");
        var pattern = (string)step["find"]! switch { "code" => Code(), "token" => Token(), _ => null };
        if (pattern is null) return;
        var found = pattern.Match((string)messages[^1]!["text"]!);
        if (!found.Success) throw new WrongException($"no {step["find"]} in the newest message");
        _placeholders.Save((string)step["save"]!, found.Value);
    }

    private static JsonNode? At(JsonNode reply, string path) =>
        path.Split('.').Aggregate((JsonNode?)reply, (node, part) => node is JsonObject message ? message[part] : null);

    private static bool IsSet(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text.Length > 0 : node is not null;

    private static long Seconds(JsonNode time) => DateTimeOffset.Parse((string)time!, CultureInfo.InvariantCulture).ToUnixTimeSeconds();

    [GeneratedRegex("(?<![0-9])[0-9]{6}(?![0-9])", RegexOptions.None, 1000)]
    private static partial Regex Code();

    [GeneratedRegex(@"(?<![\w-])[\w-]{43}(?![\w-])", RegexOptions.None, 1000)]
    private static partial Regex Token();
}

/// <summary>The server did something else than the story says.</summary>
internal sealed class WrongException(string message) : Exception(message);
