using System.Text;

namespace Mfa.Client;

/// <summary>The one credential of this run: an API key, a name and a password, or a certificate.</summary>
/// <param name="Authorization">The value of the <c>authorization</c> header; null with a certificate.</param>
/// <param name="Username">The person's name; null for a service.</param>
/// <param name="Certificate">What is shown instead of sending a header.</param>
internal sealed record Credential(string? Authorization, string? Username, ClientCertificate? Certificate = null)
{
    private const int LongestKeyFile = 4096;

    private bool IsPerson => Username is not null;

    public string Refused => IsPerson ? "Name or password not accepted."
        : Certificate is null ? "API key not accepted."
        : "The client certificate was not accepted: the server knows no caller by it.";

    public string NotAllowed => IsPerson ? "You may do this for your own account only."
        : Certificate is null ? "This API key may not do that: look at its scopes and at the account."
        : "This client certificate may not do that: look at its scopes and at the account.";

    /// <summary>Never prints what it holds.</summary>
    public override string ToString() => nameof(Credential);

    /// <summary>An option beats the environment; two on the same level are refused rather than guessed about.</summary>
    public static Credential Resolve(Settings settings, Terminal terminal, Uri endpoint, bool confirmPassword)
    {
        var (certFile, keyFile) = (settings.Tls.CertFile, settings.Tls.KeyFile);
        if (certFile is null != keyFile is null) throw FailedException.Usage("--cert and --key belong together: give both.");
        if (new[] { settings.Username, settings.ApiKeyFile, certFile }.Count(given => given is not null) > 1)
            throw FailedException.Usage("Give one of --username, --api-key-file and --cert, not more.");
        if (settings.Username is not null) return Person(settings.Username, terminal, confirmPassword);
        if (settings.ApiKeyFile is not null) return Service(ReadKeyFile(settings.ApiKeyFile), settings);
        if (certFile is not null) return Shown(certFile, keyFile!, settings, endpoint);

        var username = Settings.Environment("MFA_USERNAME");
        var apiKey = Settings.Environment("MFA_API_KEY");
        (certFile, keyFile) = (Settings.Environment("MFA_CERT"), Settings.Environment("MFA_KEY"));
        if (certFile is null != keyFile is null) throw FailedException.Usage("MFA_CERT and MFA_KEY belong together: set both.");
        if (new[] { username, apiKey, certFile }.Count(given => given is not null) > 1)
            throw FailedException.Usage(
                "More than one of MFA_USERNAME, MFA_API_KEY and MFA_CERT is set: "
                + "unset the others, or choose with --username, --api-key-file or --cert.");
        return apiKey is not null ? Service(apiKey, settings)
            : certFile is not null ? Shown(certFile, keyFile!, settings, endpoint)
            : Person(username, terminal, confirmPassword);
    }

    private static Credential Service(string apiKey, Settings settings)
    {
        apiKey = apiKey.Trim();
        if (apiKey.Length == 0 || !apiKey.All(c => c is > ' ' and <= '~'))
            throw FailedException.Usage("The API key must be one line of printable ASCII without blanks.");
        if (settings.Account is null)
            throw FailedException.Usage("With an API key, --account is required.");
        return new($"Bearer {apiKey}", null);
    }

    private static Credential Shown(string certFile, string keyFile, Settings settings, Uri endpoint)
    {
        if (endpoint.Scheme != "https")
            throw FailedException.Usage("A client certificate can be shown over https only: give such an --endpoint.");
        if (settings.Account is null)
            throw FailedException.Usage("With a client certificate, --account is required.");
        return new(null, null, ClientCertificate.Load(certFile, keyFile));
    }

    private static Credential Person(string? username, Terminal terminal, bool confirmPassword)
    {
        username ??= terminal.Ask("Username:");
        if (string.IsNullOrEmpty(username))
            throw FailedException.Usage("No username: give --username, MFA_USERNAME, or a line of standard input.");
        var password = Settings.Environment("MFA_PASSWORD") ?? AskPassword(terminal, confirmPassword);
        return new($"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{password}"))}", username);
    }

    private static string AskPassword(Terminal terminal, bool confirm)
    {
        while (true)
        {
            var password = terminal.AskSecret("Password:") ?? throw NoPassword();
            if (!confirm || !terminal.Interactive) return password;
            if ((terminal.AskSecret("Repeat for confirmation:") ?? throw NoPassword()) == password) return password;
            // Nobody can tell which of the two was mistyped: ask for both again.
            terminal.Tell("The two passwords differ.");
        }
    }

    private static string ReadKeyFile(string path)
    {
        try
        {
            using var file = new StreamReader(path);
            var text = new char[LongestKeyFile];
            return new string(text, 0, file.ReadBlock(text));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw FailedException.Usage($"Cannot read the API key file {path}: {e.Message}");
        }
    }

    private static FailedException NoPassword() =>
        FailedException.Usage("No password: type it at the prompt, set MFA_PASSWORD, or give a line of standard input.");
}
