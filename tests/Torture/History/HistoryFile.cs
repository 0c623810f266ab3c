using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mfa.Torture.History;

/// <summary>A history on disk: JSON Lines, in the order in which calls ended.</summary>
internal sealed class HistoryFile : IDisposable
{
    private readonly Lock _lock = new();
    private readonly StreamWriter _writer;
    private int _answers;

    public HistoryFile(string path)
    {
        Path = path;
        _writer = new StreamWriter(path);
    }

    public string Path { get; }

    /// <summary>Calls that were answered so far.</summary>
    public int Answers => Volatile.Read(ref _answers);

    public void Add(Line line)
    {
        var text = JsonSerializer.Serialize(line, HistoryJson.Default.Line);
        if (line.Call?.Answer.Outcome == Outcome.Ok) Interlocked.Increment(ref _answers);
        lock (_lock) _writer.WriteLine(text);
    }

    public void Dispose() => _writer.Dispose();

    public static List<Line> Read(string path) =>
        [.. File.ReadLines(path).Select(text => JsonSerializer.Deserialize(text, HistoryJson.Default.Line)!)];
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(Line))]
internal sealed partial class HistoryJson : JsonSerializerContext;
