using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Docs;

/// <summary>What README and docs/ tell a reader to type works as it stands.</summary>
public sealed class SnippetTests(DocsServer server) : IClassFixture<DocsServer>
{
    /// <summary>What cannot be run here, by its page and what it begins with, and why.</summary>
    private static readonly (string Page, string Begin, string Why)[] NotRun =
    [
        ("README.md", "make serve", "starts what these tests are part of"),
        ("README.md", "PATH=", "asks a person for codes; tests/Client.Tests types at it"),
        ("README.md", "mfa --api-key-file data/dev.key --account eve mk", "asks a person for codes; tests/Client.Tests types at it"),
        ("docs/audit.md", "mfa-server audit verify --checkpoint", "wants a checkpoint of your own"),
        ("docs/callers.md", "mfa-server keys create shop", "wants the id of one of your keys"),
        ("docs/callers.md", "mfa-server serve", "wants certificates, or an issuer, of your own"),
        ("docs/client.md", "mfa --endpoint https", "asks a person for a password; tests/EndToEnd/ClientTests has it over TLS"),
        ("docs/install.md", "make packages", "was made before these tests; tests/EndToEnd/Install puts the packages in"),
        ("docs/install.md", "sudo apt install", "tests/EndToEnd/Install puts it into a root of its own"),
        ("docs/install.md", "skopeo copy", "wants a container engine; tests/EndToEnd/Install runs the image without one"),
        ("docs/install.md", "podman run", "wants a container engine; tests/EndToEnd/Install runs the image without one"),
        ("docs/install.md", "dotnet tool install", "changes the tools of whoever runs it; tests/EndToEnd/Install has a folder for them"),
        ("docs/keys.md", "mfa-server secrets rotate", "the last of them waits until no server uses the key; tests/EndToEnd/Keys has them"),
        ("docs/operations.md", "mfa-server serve", "wants a collector of your own"),
        ("docs/operating.md", "mfa-server serve", "wants a mail server of your own"),
        ("docs/postgresql.md", "createuser", "asks for a password, and wants a PostgreSQL of your own"),
        ("docs/postgresql.md", "export MFA__STORE__CONNECTION", "wants a PostgreSQL of your own; tests/EndToEnd/Postgres has servers on one"),
        ("docs/postgresql.md", "mfa-server store copy", "wants a PostgreSQL of your own; tests/EndToEnd/Postgres/StoreCopyBackTests copies there and back"),
        ("docs/shell.md", "grpcurl", "there is no package of grpcurl"),
        ("docs/tls.md", "mfa-server", "wants names and certificates of your own"),
    ];

    public static TheoryData<string> RunPages => [.. Snippet.Pages.Where(page => ToRun(page).Any())];

    [Theory]
    [MemberData(nameof(RunPages))]
    public async Task What_a_page_says_to_type_works(string page)
    {
        var script = string.Concat(ToRun(page).Select(snippet => snippet.Text));

        var ended = await server.RunAsync(script);

        Assert.True(ended.ExitCode == 0, $"{page} ended with {ended.ExitCode}\n{ended.Output}\n{ended.Errors}");
        Assert.DoesNotContain("INTERNAL", ended.Output + ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_flow_from_a_shell_is_answered_as_the_page_says()
    {
        var script = string.Concat(ToRun("docs/shell.md").Select(snippet => snippet.Text));
        var promised = script.Split('\n').Where(line => line.Contains("# VERDICT_", StringComparison.Ordinal))
            .Select(line => line[(line.IndexOf("# ", StringComparison.Ordinal) + 2)..].Split(':')[0].Trim());

        var ended = await server.RunAsync(script.Replace("carol", "carol-2", StringComparison.Ordinal).Replace("dave", "dave-2", StringComparison.Ordinal));

        var verdicts = ended.Output.Split('\n').Where(line => line.Contains("\"verdict\"", StringComparison.Ordinal)).Select(line => line.Split('"')[3]);
        Assert.Equal(promised, verdicts);
    }

    [Fact]
    public void Each_exception_is_for_a_block_that_there_is()
    {
        Assert.All(NotRun, exception => Assert.Contains(Snippet.All, snippet => Excepts(exception, snippet)));
    }

    [Fact]
    public void Each_block_says_what_it_is()
    {
        string[] shown = ["text", "json", "yaml", "nginx", "python", "ts", "go", "ruby", "cpp", "csharp"];
        string[] commands = ["mfa ", "mfa-server ", "buf ", "make "];

        Assert.All(Snippet.All, snippet => Assert.Contains(snippet.Label, shown.Append("sh")));
        Assert.All(
            Snippet.All.Where(snippet => snippet.Label == "text" && commands.Any(command => snippet.Text.StartsWith(command, StringComparison.Ordinal))),
            grammar => Assert.Matches(@"\[--|exit code", grammar.Text)); // not commands to type, but the form of verbs
    }

    [Theory]
    [InlineData("python", "example.py")]
    [InlineData("node", "errors.mts", "example.mts")]
    [InlineData("go", "example.go")]
    [InlineData("ruby", "example.rb")]
    [InlineData("cpp", "example.cc")]
    [InlineData("csharp", "SecondFactor.cs", "Program.cs")]
    public void A_language_page_shows_the_example_that_is_run(string language, params string[] files)
    {
        var shown = Snippet.Of($"docs/clients/{language}.md").Where(snippet => snippet.Label is not "sh").Select(snippet => snippet.Text);

        Assert.Equal(files.Select(file => File.ReadAllText(Path.Combine(ServerProgram.Repository, "docs/clients", language, file))), shown);
    }

    private static IEnumerable<Snippet> ToRun(string page) =>
        Snippet.Of(page).Where(snippet => snippet.Label == "sh" && !NotRun.Any(exception => Excepts(exception, snippet)));

    private static bool Excepts((string Page, string Begin, string Why) exception, Snippet snippet) =>
        snippet.Page == exception.Page && snippet.Label == "sh" && snippet.Text.StartsWith(exception.Begin, StringComparison.Ordinal);
}

/// <summary>What `make serve` starts, and a folder that looks like the repository with its data.</summary>
public sealed class DocsServer : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private ServerProcess _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ServerProcess.StartAsync("sends:gapSeconds=0");
        foreach (var part in new[] { "protos", "docs", "tests", "node_modules", "buf.yaml" })
            File.CreateSymbolicLink(_folder[part], Path.Combine(ServerProgram.Repository, part));
        File.CreateSymbolicLink(_folder["data"], _server.Data);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Runs a script in the folder; the addresses that pages name are this server's.</summary>
    internal Task<Ended> RunAsync(string script)
    {
        var here = script.Replace("http://127.0.0.1:7443", _server.Grpc.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal);
        var start = ServerProgram.Shell($"set -euo pipefail\n{here}");
        start.WorkingDirectory = _folder.Path;
        start.Environment["PATH"] = $"{_folder["node_modules/.bin"]}:/usr/bin:{ServerProgram.Programs}:{start.Environment["PATH"]}";
        start.Environment["MFA_ENDPOINT"] = _server.Grpc.GetLeftPart(UriPartial.Authority);
        return OutsideProgram.RunAsync(start, [], "bash");
    }
}
