using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Docs;

/// <summary>A fenced block of a page.</summary>
/// <param name="Page">The page's path in the repository.</param>
/// <param name="Label">What stands behind the fence: `sh` is to be run.</param>
internal sealed record Snippet(string Page, string Label, string Text)
{
    private const string Fence = "```";

    public static IEnumerable<string> Pages => Directory
        .EnumerateFiles(Path.Combine(ServerProgram.Repository, "docs"), "*.md", SearchOption.AllDirectories)
        .Append(Path.Combine(ServerProgram.Repository, "README.md"))
        .Select(file => Path.GetRelativePath(ServerProgram.Repository, file))
        .Order(StringComparer.Ordinal);

    public static IEnumerable<Snippet> All => Pages.SelectMany(Of);

    public static List<Snippet> Of(string page)
    {
        var snippets = new List<Snippet>();
        string? label = null;
        var text = "";
        foreach (var line in File.ReadLines(Path.Combine(ServerProgram.Repository, page)))
        {
            if (!line.StartsWith(Fence, StringComparison.Ordinal))
            {
                text += $"{line}\n";
            }
            else if (label is null)
            {
                (label, text) = (line[Fence.Length..], "");
            }
            else
            {
                snippets.Add(new Snippet(page, label, text));
                label = null;
            }
        }

        Assert.Null(label); // every fence is closed
        return snippets;
    }
}
