using System.Text.Json;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Polyglot;

/// <summary>The contract from every language: the same stories, the same answers.</summary>
public sealed class PolyglotTests(PolyglotRuns runs) : IClassFixture<PolyglotRuns>
{
    private static readonly string Folder = Path.Combine(ServerProgram.Repository, "tests/Polyglot");

    public static TheoryData<string, string> Languages =>
        [.. PolyglotRuns.Builds.SelectMany(build => PolyglotRun.Languages.Select(language => (build, language)))];

    [Theory]
    [MemberData(nameof(Languages))]
    public void Every_story_goes_as_told_and_the_example_works(string build, string language)
    {
        var run = runs[build];

        Assert.True(run.Closing.TryGetValue(language, out var closing), run.Said);
        Assert.True(closing.EndsWith(" passed, 0 failed", StringComparison.Ordinal), run.Said);
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Every_language_is_told_the_same(string build, string language)
    {
        var stories = Directory.GetFiles(Path.Combine(Folder, "scenarios"), "*.json").Select(Path.GetFileNameWithoutExtension);

        var told = runs[build].Transcript(language);

        Assert.Equal(runs[PolyglotRuns.Builds[0]].Transcript("csharp"), told);
        Assert.Equal(stories.Order(StringComparer.Ordinal), told.Where(line => line.StartsWith("ok ", StringComparison.Ordinal)).Select(line => line[3..]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_stories_provoke_every_reason()
    {
        var reasons = ErrorsReflection.Descriptor.EnumTypes[0].Values.Select(value => value.Name["ERROR_REASON_".Length..]);

        var provoked = Directory.GetFiles(Path.Combine(Folder, "scenarios"), "*.json")
            .SelectMany(file => Reasons(JsonDocument.Parse(File.ReadAllText(file)).RootElement)).Distinct();

        Assert.Equal(reasons.Except(["UNSPECIFIED"]).Order(StringComparer.Ordinal), provoked.Order(StringComparer.Ordinal)); // never sent
    }

    private static IEnumerable<string> Reasons(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member =>
            member.NameEquals("reason") ? [member.Value.GetString()!] : Reasons(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Reasons),
        _ => [],
    };
}
