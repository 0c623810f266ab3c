using System.Text.RegularExpressions;

namespace Mfa.Torture.Load;

/// <summary>The development mailbox, sorted by addressee. Messages may come late, twice, or after a clock was moved.</summary>
internal sealed partial class Mailbox(string folder)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<string>> _found = [];
    private readonly HashSet<string> _read = [];

    /// <summary>All codes and tokens that came to this address so far, oldest first, each once.</summary>
    public string[] Of(string address)
    {
        lock (_lock)
        {
            Read();
            return _found.TryGetValue(address, out var texts) ? [.. texts] : [];
        }
    }

    private void Read()
    {
        if (!Directory.Exists(folder)) return;
        foreach (var file in Directory.EnumerateFiles(folder, "*.eml").Where(_read.Add).Order(StringComparer.Ordinal))
        {
            var text = File.ReadAllText(file);
            File.Delete(file);
            if (To().Match(text) is not { Success: true } to || Secret().Match(text) is not { Success: true } secret) continue;
            var texts = _found.TryGetValue(to.Groups[1].Value, out var known) ? known : _found[to.Groups[1].Value] = [];
            if (!texts.Contains(secret.Value)) texts.Add(secret.Value);
        }
    }

    [GeneratedRegex("^To: <?([^>\r\n]+)", RegexOptions.Multiline, 1000)]
    private static partial Regex To();

    [GeneratedRegex(@"^[0-9]{6}(?= is your )|^[A-Za-z0-9_-]{43}(?=\r?$)", RegexOptions.Multiline, 1000)]
    private static partial Regex Secret();
}
