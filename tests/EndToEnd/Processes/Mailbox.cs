using System.Text.RegularExpressions;

namespace Mfa.EndToEnd.Processes;

/// <summary>What the server wrote instead of sending it to this address or phone, oldest first.</summary>
internal sealed class Mailbox(ServerProcess server, string to)
{
    private readonly string _folder = Path.Combine(server.Data, "outbox");
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    public Task<string> CodeAsync() => NextAsync("[0-9]{6}(?= is your )");

    public async Task<string> TokenAsync()
    {
        var token = await NextAsync(@"^[A-Za-z0-9_-]{43}(?=\r?$)");
        server.Secrets.Add(token);
        return token;
    }

    /// <summary>From the next message that has it; waits for the courier to bring one.</summary>
    public async Task<string> NextAsync(string pattern)
    {
        Directory.CreateDirectory(_folder);
        using var written = new SemaphoreSlim(0);
        using var watcher = new FileSystemWatcher(_folder) { EnableRaisingEvents = true };
        watcher.Renamed += (_, _) => written.Release(); // a message gets its name once it is whole
        while (true)
        {
            foreach (var file in Directory.GetFiles(_folder).Order(StringComparer.Ordinal))
            {
                if (file.EndsWith(".tmp", StringComparison.Ordinal) || !_read.Add(file)) continue;
                var text = await File.ReadAllTextAsync(file);
                if (text.Contains(to, StringComparison.Ordinal) && Find(text, pattern) is { } found) return found;
            }

            Assert.True(await written.WaitAsync(TimeSpan.FromSeconds(30)), "No message came.");
        }
    }

    private static string? Find(string text, string pattern)
    {
        var match = Regex.Match(text, pattern, RegexOptions.Multiline, TimeSpan.FromSeconds(1));
        return match.Success ? match.Value : null;
    }
}
