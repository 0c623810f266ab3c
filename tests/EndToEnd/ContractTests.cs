using System.Diagnostics;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd;

/// <summary>The guard against breaking changes of the contract is seen to bite.</summary>
public sealed class ContractTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public ContractTests()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(ServerProgram.Repository, "protos"), "*.proto", SearchOption.AllDirectories))
        {
            var copy = _folder[Path.GetRelativePath(ServerProgram.Repository, file)];
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        File.Copy(Path.Combine(ServerProgram.Repository, "buf.yaml"), _folder["buf.yaml"]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_contract_as_it_is_breaks_nobody() => Assert.Equal(0, (await BreakingAsync()).ExitCode);

    [Theory]
    [InlineData("string request_id = 4;", "", "request_id")]
    [InlineData("string code = 2 [debug_redact = true];", "bytes code = 2 [debug_redact = true];", "code")]
    [InlineData("VERDICT_LOCKED = 3;", "VERDICT_SHUT = 3;", "VERDICT_LOCKED")]
    public async Task A_break_of_it_is_told(string landed, string changed, string told)
    {
        var file = _folder["protos/mfa/v1/mfa_service.proto"];
        var contract = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        var at = contract.IndexOf(landed, StringComparison.Ordinal);
        Assert.True(at > 0, landed);
        await File.WriteAllTextAsync(file, contract[..at] + changed + contract[(at + landed.Length)..], TestContext.Current.CancellationToken);

        var ended = await BreakingAsync();

        Assert.NotEqual(0, ended.ExitCode);
        Assert.Contains(told, ended.Output, StringComparison.Ordinal);
    }

    /// <summary>What `make test` asks.</summary>
    private Task<Ended> BreakingAsync() => OutsideProgram.RunAsync(
        new ProcessStartInfo(Path.Combine(ServerProgram.Repository, "node_modules/.bin/buf"), ["breaking", "--against", Path.Combine(ServerProgram.Repository, "protos/landed.json")])
        {
            WorkingDirectory = _folder.Path,
        },
        [], "npm");
}
