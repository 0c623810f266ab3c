namespace Mfa.Client.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("mk")]
    [InlineData("mk PIGEON")]
    [InlineData("mk UNSPECIFIED")]
    [InlineData("mk 2")]
    [InlineData("mk AUTHENTICATOR,SMS")]
    [InlineData("mk AUTHENTICATOR --code 123456")]
    [InlineData("mk SMS")]
    [InlineData("mk SMS --phone 123456")]
    [InlineData("verify 123456 654321")]
    [InlineData("get-token now")]
    [InlineData("rm token")]
    [InlineData("rm --confirm --request-only")]
    [InlineData("rm --confirm token")]
    [InlineData("recovery-codes 123456")]
    [InlineData("status --output xml")]
    [InlineData("status --timeout 0")]
    [InlineData("status --timeout soon")]
    [InlineData("status --endpoint")]
    [InlineData("status --password secret")]
    [InlineData("status --api-key key")]
    public async Task What_makes_no_sense_is_exit_code_2_and_nothing_is_sent(string arguments)
    {
        await using var server = await StubServer.StartAsync();

        var run = await MfaProgram.RunAsync(server, arguments, environment: ["MFA_USERNAME=a", "MFA_PASSWORD=p"]);

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.NotEmpty(run.Error);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("mk PIGEON --output json")]
    [InlineData("--output=json nonsense")]
    public async Task A_usage_error_is_a_document_too(string arguments)
    {
        var run = await MfaProgram.RunAsync(null, arguments);

        Assert.Equal((2, ""), (run.ExitCode, run.Error));
        Assert.Equal("USAGE", run.Json.GetProperty("error").GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("mk --help")]
    [InlineData("verify -h")]
    [InlineData("status --help")]
    [InlineData("recovery-codes --help")]
    [InlineData("get-token --help")]
    [InlineData("rm --help")]
    public async Task Help_shows_examples_and_no_way_to_put_a_secret_on_the_command_line(string arguments)
    {
        var run = await MfaProgram.RunAsync(null, arguments);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("Examples:\n  mfa ", run.Output.Replace("  Examples:\n  ", "Examples:\n", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("--password", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("--api-key ", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("--code", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_told()
    {
        var run = await MfaProgram.RunAsync(null, "--version");

        Assert.Equal(0, run.ExitCode);
        Assert.Matches("^[0-9]+\\.[0-9]+\\.[0-9]+\n$", run.Output);
    }

    [Fact]
    public async Task An_account_may_begin_with_an_at_sign()
    {
        await using var server = await StubServer.StartAsync();

        var run = await MfaProgram.RunAsync(server, "--account @alice status", environment: ["MFA_API_KEY=k"]);

        Assert.Equal(0, run.ExitCode);
        Assert.Equal("@alice", Assert.IsType<V1.GetStatusRequest>(server.Requests.Single()).Account);
    }
}
