namespace Mfa.Client.Tests;

/// <summary>Which credential is sent, where from, and where to.</summary>
public sealed class CredentialTests
{
    private const string Alice = "Basic YWxpY2U6c2VjcmV0"; // alice:secret
    private const string Key = "Bearer key-1";

    [Theory]
    [InlineData("--username alice", new[] { "MFA_PASSWORD=secret" }, Alice)]
    [InlineData("--username alice", new string[0], Alice)]
    [InlineData("", new[] { "MFA_USERNAME=alice" }, Alice)]
    [InlineData("--account a", new[] { "MFA_API_KEY=key-1" }, Key)]
    [InlineData("--account a --api-key-file KEYFILE", new string[0], Key)]
    [InlineData("--username alice", new[] { "MFA_API_KEY=key-1" }, Alice)] // the command line beats the environment
    [InlineData("--username alice", new[] { "MFA_USERNAME=bob" }, Alice)]
    [InlineData("--account a --api-key-file KEYFILE", new[] { "MFA_USERNAME=alice", "MFA_PASSWORD=x" }, Key)]
    [InlineData("--account a --api-key-file KEYFILE", new[] { "MFA_API_KEY=key-2" }, Key)]
    [InlineData("--username alice", new[] { "MFA_PASSWORD=", "MFA_API_KEY=" }, Alice)] // empty is unset
    public async Task Exactly_one_credential_is_sent(string options, string[] environment, string expected)
    {
        await using var server = await StubServer.StartAsync();
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("key"), "key-1\n");
        options = options.Replace("KEYFILE", folder.File("key"), StringComparison.Ordinal);

        var before = await MfaProgram.RunAsync(server, $"{options} status", "secret\n", environment);
        var after = await MfaProgram.RunAsync(server, $"status {options}", "secret\n", environment);

        Assert.Equal((0, 0), (before.ExitCode, after.ExitCode));
        Assert.Equal([expected, expected], server.Authorizations.ToArray());
    }

    [Fact]
    public async Task A_password_may_hold_any_character()
    {
        await using var server = await StubServer.StartAsync();

        await MfaProgram.RunAsync(server, "--username alice status", " p:ä ß😀 \n");

        Assert.Equal("Basic " + Convert.ToBase64String("alice: p:ä ß😀 "u8), server.Authorizations.Single());
    }

    [Theory]
    [InlineData("--username a --api-key-file f status", new string[0], "Give one of --username, --api-key-file and --cert, not more.")]
    [InlineData("status", new[] { "MFA_USERNAME=a", "MFA_API_KEY=k" }, "More than one of MFA_USERNAME, MFA_API_KEY and MFA_CERT is set")]
    [InlineData("status", new[] { "MFA_API_KEY=k" }, "With an API key, --account is required.")]
    [InlineData("--account a --api-key-file /nowhere/key status", new string[0], "Cannot read the API key file /nowhere/key")]
    [InlineData("--account a --api-key-file /dev/null status", new string[0], "The API key must be one line of printable ASCII")]
    [InlineData("--account a status", new[] { "MFA_API_KEY=two words" }, "The API key must be one line of printable ASCII")]
    [InlineData("--account a status", new[] { "MFA_API_KEY=a\nx-injected: 1" }, "The API key must be one line of printable ASCII")]
    public async Task A_doubtful_credential_is_a_usage_error(string arguments, string[] environment, string said)
    {
        await using var server = await StubServer.StartAsync();

        var table = await MfaProgram.RunAsync(server, arguments, "", environment);
        var json = await MfaProgram.RunAsync(server, $"{arguments} --output json", "", environment);

        Assert.Equal((2, ""), (table.ExitCode, table.Output));
        Assert.StartsWith(said, table.Error, StringComparison.Ordinal);
        Assert.Single(table.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal(2, json.ExitCode);
        Assert.Equal("USAGE", json.Json.GetProperty("error").GetProperty("reason").GetString());
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("mfa.example.org:7443")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("http://")]
    [InlineData("not an address")]
    [InlineData("https://user:pass@mfa.example.org")]
    [InlineData("https://mfa.example.org/path")]
    [InlineData("https://mfa.example.org/?q")]
    [InlineData("http://mfa.example.org:7443")]
    [InlineData("http://10.1.2.3")]
    [InlineData("http://0.0.0.0:7443")]
    [InlineData("http://localhost.example.org")]
    [InlineData("http://[::]:7443")]
    public void An_endpoint_that_must_not_be_given_a_password_is_a_usage_error(string endpoint) =>
        Assert.Equal(ExitCode.Usage, Assert.Throws<FailedException>(() => Endpoint.Parse(endpoint)).Failure.ExitCode);

    [Theory]
    [InlineData("http://127.0.0.1:7443")]
    [InlineData("http://127.1.2.3")]
    [InlineData("http://[::1]:7443/")]
    [InlineData("http://LocalHost:7443")]
    [InlineData("https://mfa.example.org")]
    [InlineData("https://10.1.2.3:8443")]
    public void Loopback_may_be_plain_text_and_https_may_be_anywhere(string endpoint) => Assert.NotNull(Endpoint.Parse(endpoint));

    [Fact]
    public async Task A_plain_text_endpoint_elsewhere_is_refused_before_any_question()
    {
        var run = await MfaProgram.RunAsync(null, "--endpoint http://192.0.2.1:7443 status");

        Assert.Equal(2, run.ExitCode);
        Assert.Equal("Refused: http://192.0.2.1:7443 would carry the credentials in clear text. Use https.\n", run.Error);
    }

    [Fact]
    public async Task A_proxy_of_the_environment_gets_no_plain_text()
    {
        await using var server = await StubServer.StartAsync();
        await using var proxy = await StubServer.StartAsync();

        var run = await MfaProgram.RunAsync(
            server, "--account a status", environment: ["MFA_API_KEY=k", $"http_proxy={proxy.Endpoint}", $"all_proxy={proxy.Endpoint}"]);

        Assert.Equal(0, run.ExitCode);
        Assert.Single(server.Requests);
    }
}
