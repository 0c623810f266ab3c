using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Callers;

/// <summary>A server over TLS that takes every kind of credential there is.</summary>
public sealed class OpenServer : IAsyncLifetime
{
    private readonly TempFolder _folder = new();

    internal ServerProcess Process { get; private set; } = null!;

    internal Authority Authority { get; } = Authority.New("root");

    internal TokenIssuer Issuer { get; } = new();

    internal string KeysFile => _folder["issuer.json"];

    public async ValueTask InitializeAsync()
    {
        foreach (var (id, algorithm) in new[] { ("rsa", "RS256"), ("pss", "PS256"), ("ec", "ES256") }) await Issuer.AddKeyAsync(id, algorithm);
        await File.WriteAllTextAsync(KeysFile, Issuer.KeySet);
        Process = await ServerProcess.StartWithTlsAsync(Certificates.For("127.0.0.1"), Authority.Pem,
            $"jwt:issuer={TokenIssuer.Name}", $"jwt:audience={TokenIssuer.Audience}", $"jwt:keysFile={KeysFile}", "jwt:refreshSeconds=1",
            // Tests ask over and over until it has read its file: thousands of times in a second on a fast machine.
            "sends:gapSeconds=0", "quota:callsPerSecond=0", "quota:failuresPerSecond=100000", "quota:failuresBurst=100000");
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        Authority.Dispose();
        _folder.Dispose();
    }

    /// <summary>A caller with a certificate for this name, mapped or not.</summary>
    internal Caller WithCertificate(string san, string? commonName = null) =>
        Process.NewCallerWith(Authority.Issue(san, Authority.ForClients, commonName: commonName));

    internal async Task MapAsync(string name, string san, string scopes, string tenant = "default") =>
        Done(await ServerProgram.RunAsync("certificates", "map", name, "--san", san, "--scopes", scopes, "--tenant", tenant, "--data", Process.Data));

    /// <summary>Runs a verb on its folder beside it.</summary>
    internal async Task<string> RunAsync(params string[] verb) => Done(await ServerProgram.RunAsync([.. verb, "--data", Process.Data]));

    private static string Done(Ended ended)
    {
        Assert.True(ended.ExitCode == 0, ended.Errors);
        return ended.Output.Trim();
    }
}
