using System.Diagnostics;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd;

/// <summary>Called from a shell, by a client of another make.</summary>
public sealed class ShellTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    private static readonly string[] Expected =
    [
        "before: STATE_DISABLED", "recovery codes: 8", "enrolling: STATE_PENDING", "first code: VERDICT_ACCEPTED",
        "enrolled: STATE_ENABLED", "the same code again: VERDICT_REJECTED", "next code: VERDICT_ACCEPTED",
        "a recovery code: VERDICT_ACCEPTED", "a recovery code again: VERDICT_REJECTED", "enrolling again without a code: 72",
        "an old recovery code: VERDICT_REJECTED", "a new recovery code: VERDICT_ACCEPTED", "done",
    ];

    private string Endpoint => server.Process.Grpc.GetLeftPart(UriPartial.Authority);

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(server.Process.Dev));

    [Fact]
    public async Task The_whole_flow_works_from_a_shell()
    {
        var script = Path.Combine(ServerProgram.Repository, "tests", "EndToEnd", "flow.sh");

        var ended = await OutsideProgram.RunAsync(
            new ProcessStartInfo("bash", [script, Endpoint, Path.Combine(server.Process.Data, "dev.key")]), []);

        Assert.True(ended.ExitCode == 0, ended.Errors);
        Assert.Equal(Expected, ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        server.Process.Secrets.AssertNoneIn([ended.Output, ended.Errors]);
    }

    [Fact]
    public async Task The_same_credential_in_two_headers_is_refused() // AU7: a .NET client would join them into one
    {
        using var folder = new TempFolder();
        var header = $"authorization: Bearer {server.Process.DevKey}\n";
        const int Unauthenticated = 16 << 3; // how buf tells the status

        Assert.Equal(0, await CallAsync(header));
        Assert.Equal(Unauthenticated, await CallAsync(header + header));

        async Task<int> CallAsync(string headers)
        {
            await File.WriteAllTextAsync(folder["headers"], headers, TestContext.Current.CancellationToken);
            var start = new ProcessStartInfo("npx",
            [
                "--no-install", "buf", "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--schema", "protos",
                "-H", $"@{folder["headers"]}", "-d", """{"account":"a"}""", $"{Endpoint}/mfa.v1.MfaService/GetStatus",
            ])
            { WorkingDirectory = ServerProgram.Repository };
            return (await OutsideProgram.RunAsync(start, [], "npm")).ExitCode;
        }
    }
}
