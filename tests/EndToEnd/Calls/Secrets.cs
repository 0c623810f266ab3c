using System.Collections.Concurrent;

namespace Mfa.EndToEnd.Calls;

/// <summary>Everything secret that a server told or was told, to be looked for where it must not be.</summary>
internal sealed class Secrets
{
    private readonly ConcurrentDictionary<string, byte> _texts = [];

    public IEnumerable<string> All => _texts.Keys;

    public void Add(params IEnumerable<string> texts)
    {
        foreach (var text in texts.Where(text => text.Length > 0)) _texts.TryAdd(text, 0);
    }

    /// <summary>Which one stays untold: the report of a test is a log, too.</summary>
    public void AssertNoneIn(IEnumerable<string> lines)
    {
        var log = string.Join('\n', lines);
        Assert.True(All.All(secret => !log.Contains(secret, StringComparison.OrdinalIgnoreCase)), "A secret was printed.");
    }
}
