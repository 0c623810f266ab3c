using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Protection;
using Mfa.Server.Rotation;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server secrets`: the keys of the key ring. Works beside a running server; rotate and rewrap can be broken off anywhere.</summary>
internal static class SecretsCommand
{
    private static readonly TimeSpan TakeOver = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    private static readonly Argument<string> KeyId = new("KEYID") { Description = "The key's id, as status shows it." };

    static SecretsCommand() => KeyId.Validators.Add(result =>
    {
        var text = result.GetValueOrDefault<string>() ?? "";
        if (!uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _))
            result.AddError("KEYID: give the 8 hex digits that mfa-server secrets status shows.");
    });

    public static Command Create()
    {
        var status = new Command("status", "Show the keys, and how much needs each of them.") { SharedOptions.Data, SharedOptions.Store, SharedOptions.Output };
        status.SetAction((parsed, _) => ShowAsync(parsed));
        var rotate = new Command("rotate", "Put a new key in front. The old ones still open what they protect.") { SharedOptions.Data, SharedOptions.Store, SharedOptions.Output };
        rotate.SetAction((parsed, _) => RotateAsync(parsed));
        var rewrap = new Command("rewrap", "Put everything under the active key. Can be stopped and started again.") { SharedOptions.Data, SharedOptions.Store, SharedOptions.Output };
        rewrap.SetAction(RewrapAsync);
        var remove = new Command("remove", "Take a key out that nothing needs any more.") { KeyId, SharedOptions.Data, SharedOptions.Store, SharedOptions.Output };
        remove.SetAction((parsed, _) => RemoveAsync(parsed));
        return new Command("secrets", "The keys that everything secret is protected with: status, rotate, rewrap, remove.") { status, rotate, rewrap, remove };
    }

    private static async Task<int> ShowAsync(ParseResult parsed)
    {
        using var data = await SharedOptions.OpenAsync(parsed);
        var rows = RingKeyStatus.Read(data.Store, data.RingPath);
        if (parsed.GetValue(SharedOptions.Output) == "json")
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(rows, SecretsJson.Default.ListRingKeyStatus));
            return ExitCodes.Done;
        }

        await Table.PrintAsync(
            ["KEY", "STATE", "CREATED", .. KeyUses.KindNames.Select(kind => kind.Replace('_', ' ').ToUpperInvariant())],
            rows.Select(r => (string[])[r.Key, r.State, r.CreateTime is { } t ? Table.Time(t) : "-", .. r.Needed.Values.Select(Print)]));
        return ExitCodes.Done;
    }

    private static async Task<int> RotateAsync(ParseResult parsed)
    {
        using var data = await SharedOptions.OpenAsync(parsed);
        using var alone = FolderLocks.TakeRing(data.Path);
        var rotation = RotationOf(data);
        var key = $"{await rotation.RotateAsync():x8}";
        await PrintAsync(parsed, key, new ChangedKey(key), SecretsJson.Default.ChangedKey);
        await WaitForServerAsync(data, rotation);
        await Console.Error.WriteLineAsync($"Key {key} protects everything new from now on. Back up {data.RingPath}, then: mfa-server secrets rewrap");
        return ExitCodes.Done;
    }

    private static async Task<int> RewrapAsync(ParseResult parsed, CancellationToken ct)
    {
        using var data = await SharedOptions.OpenAsync(parsed);
        using var alone = FolderLocks.TakeRing(data.Path);
        await WaitForServerAsync(data, RotationOf(data));

        var told = TimeProvider.System.GetTimestamp();
        var outcome = await new Rewrap(data.Store, data.Ring, TimeProvider.System).RunAsync(progress =>
        {
            if (TimeProvider.System.GetElapsedTime(told) < TimeSpan.FromSeconds(1)) return;
            told = TimeProvider.System.GetTimestamp();
            var waiting = progress.Waiting ? " (the database is busy; waiting)" : "";
            Console.Error.WriteLine($"{Print(progress.Done)} of {Print(progress.Total)} rows{waiting}");
        }, ct);

        foreach (var name in outcome.Unreadable) await Console.Error.WriteLineAsync($"mfa-server: {name} does not open and was left as it is.");
        await PrintAsync(parsed, $"{Print(outcome.Done)} rows", new RewrapResult(outcome.Done, outcome.Unreadable.Count), SecretsJson.Default.RewrapResult);
        if (outcome.Unreadable.Count > 0) return ExitCodes.Failed;
        await Console.Error.WriteLineAsync($"Everything is under key {data.Ring.ActiveId:x8}.");
        return ExitCodes.Done;
    }

    private static async Task<int> RemoveAsync(ParseResult parsed)
    {
        var id = KeyRingFile.IdOf(parsed.GetValue(KeyId)!);
        using var data = await SharedOptions.OpenAsync(parsed);
        using var alone = FolderLocks.TakeRing(data.Path);
        var key = $"{id:x8}";
        if (!data.Ring.Contains(id)) throw new StartRefusedException($"There is no key {key} in {data.RingPath}. See: mfa-server secrets status");
        if (id == data.Ring.ActiveId) throw new StartRefusedException($"Key {key} is the active key. Put another one in front first: mfa-server secrets rotate");

        RefuseWhileNeeded(data, id); // before the wait, and after it: a call may have been under way
        var rotation = RotationOf(data);
        await WaitForServerAsync(data, rotation);
        await WaitUntilSettledAsync(data, rotation);
        RefuseWhileNeeded(data, id);
        await rotation.RemoveAsync(id);

        await PrintAsync(parsed, key, new ChangedKey(key), SecretsJson.Default.ChangedKey);
        await Console.Error.WriteLineAsync($"Removed key {key}. Backups of the database that are older need it still: keep an older copy of the key ring for as long as you keep them.");
        return ExitCodes.Done;
    }

    private static void RefuseWhileNeeded(DataFolder data, uint id)
    {
        var needed = KeyUses.Count(data.Store).Where(use => use.KeyId == id).Select(use => $"{Print(use.Count)} {use.Kind.Replace('_', ' ')}").ToList();
        if (needed.Count > 0)
            throw new StartRefusedException($"Key {id:x8} is needed by {string.Join(", ", needed)}. Put them under the active key first: mfa-server secrets rewrap");
    }

    /// <summary>A server that still protects things with an old key would undo what is done here.</summary>
    private static async Task WaitForServerAsync(DataFolder data, KeyRotation rotation)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (rotation.SettledTime(FolderLocks.IsServed(data.Path)) is null)
        {
            if (TimeProvider.System.GetElapsedTime(began) > TakeOver)
            {
                throw new StartRefusedException($"{data.RingPath}: the running server has not taken key {data.Ring.ActiveId:x8} over. " +
                    "Its log says why; the file must belong to the user that the server runs as.");
            }

            await Task.Delay(LookAgain);
        }
    }

    private static async Task WaitUntilSettledAsync(DataFolder data, KeyRotation rotation)
    {
        var settled = rotation.SettledTime(FolderLocks.IsServed(data.Path));
        if (settled <= TimeProvider.System.GetUtcNow()) return;
        await Console.Error.WriteLineAsync($"Waiting until {settled:HH:mm:ss} UTC, when every call that began under the old key has ended.");
        while (rotation.SettledTime(FolderLocks.IsServed(data.Path)) > TimeProvider.System.GetUtcNow()) await Task.Delay(LookAgain);
    }

    private static KeyRotation RotationOf(DataFolder data) => new(data.Store, data.Ring, data.RingPath, TimeProvider.System);

    private static Task PrintAsync<T>(ParseResult parsed, string text, T json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        Console.Out.WriteLineAsync(parsed.GetValue(SharedOptions.Output) == "json" ? JsonSerializer.Serialize(json, type) : text);

    private static string Print(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}

internal sealed record ChangedKey(string Key);

internal sealed record RewrapResult(long Rows, int Unreadable);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(List<RingKeyStatus>))]
[JsonSerializable(typeof(ChangedKey))]
[JsonSerializable(typeof(RewrapResult))]
internal sealed partial class SecretsJson : JsonSerializerContext;
