namespace Mfa.Client;

/// <summary>What the command line says, with the environment for what it leaves open. There is no option for a password
/// or a key: every process on the machine can read the arguments of every other.</summary>
internal sealed record Settings(
    string? Endpoint, string? Username, string? ApiKeyFile, string? Account, bool Json, TimeSpan Timeout, TlsSettings Tls)
{
    public static string? Environment(string name) =>
        System.Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}

/// <param name="SkipVerify">From the command line alone: a variable that somebody forgot must not switch the checks off.</param>
internal sealed record TlsSettings(string? CaFile, string? CertFile, string? KeyFile, bool SkipVerify);
