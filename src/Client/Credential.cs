using System.Text;

namespace Mfa.Client;

/// <summary>The one credential of this run: an API key, or a name and a password.</summary>
/// <param name="Authorization">The value of the <c>authorization</c> header.</param>
/// <param name="Username">The person's name; null with an API key.</param>
internal sealed record Credential(string Authorization, string? Username)
{
    private const int LongestKeyFile = 4096;

    public string Refused => Username is null ? "API key not accepted." : "Name or password not accepted.";

    public string NotAllowed => Username is null
        ? "This API key may not do that: look at its scopes and at the account."
        : "You may do this for your own account only.";

    /// <summary>Never prints what it holds.</summary>
    public override string ToString() => nameof(Credential);

    /// <summary>An option beats the environment; two on the same level are refused rather than guessed about.</summary>
    public static Credential Resolve(Settings settings, Terminal terminal, bool confirmPassword)
    {
        if (settings is { Username: not null, ApiKeyFile: not null })
            throw FailedException.Usage("Give either --username or --api-key-file, not both.");
        if (settings.Username is not null) return Person(settings.Username, terminal, confirmPassword);
        if (settings.ApiKeyFile is not null) return Service(ReadKeyFile(settings.ApiKeyFile), settings);

        var username = Settings.Environment("MFA_USERNAME");
        var apiKey = Settings.Environment("MFA_API_KEY");
        if (username is not null && apiKey is not null)
            throw FailedException.Usage(
                "MFA_USERNAME and MFA_API_KEY are both set: unset one, or choose with --username or --api-key-file.");
        return apiKey is not null ? Service(apiKey, settings) : Person(username, terminal, confirmPassword);
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
