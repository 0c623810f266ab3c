using System.Text.Json;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Keys;

/// <summary>A key as `secrets status` shows it.</summary>
/// <param name="Needed">How many values need it.</param>
internal sealed record ShownKey(string Id, string State, long Needed);

/// <summary>The operator at the keys of a folder: each verb is a process of its own.</summary>
internal sealed class KeyVerbs(string data)
{
    public string Ring => Path.Combine(data, "keys.json");

    public async Task<ShownKey[]> StatusAsync()
    {
        using var shown = JsonDocument.Parse(await DoneAsync("status", "--output", "json"));
        return [.. shown.RootElement.EnumerateArray().Select(key => new ShownKey(
            key.GetProperty("key").GetString()!, key.GetProperty("state").GetString()!,
            key.GetProperty("needed").EnumerateObject().Sum(kind => kind.Value.GetInt64())))];
    }

    public async Task<ShownKey> ActiveAsync() => (await StatusAsync()).Single(key => key.State == "active");

    /// <returns>The key that was active before.</returns>
    public async Task<string> RotateAsync()
    {
        var old = (await ActiveAsync()).Id;
        await DoneAsync("rotate");
        return old;
    }

    public Task<string> RewrapAsync() => DoneAsync("rewrap");

    public Task<string> RemoveAsync(string key) => DoneAsync("remove", key);

    public Task<Ended> RunAsync(params string[] arguments) => ServerProgram.RunAsync(["secrets", .. arguments, "--data", data]);

    /// <summary>Makes the keys old enough to be removed at once. The wait of a removal is for calls that are under way.</summary>
    public async Task AgeAsync()
    {
        var text = await File.ReadAllTextAsync(Ring);
        var lines = text.Split('\n').Select(line => line.Contains("\"created\"", StringComparison.Ordinal) ? "\"created\": \"2026-01-01T00:00:00Z\"" : line);
        await File.WriteAllTextAsync(Ring, string.Join('\n', lines));
    }

    private async Task<string> DoneAsync(params string[] arguments)
    {
        var ended = await RunAsync(arguments);
        Assert.True(ended.ExitCode == 0, $"secrets {string.Join(' ', arguments)}: {ended.Errors}");
        return ended.Output;
    }
}
