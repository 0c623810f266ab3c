namespace Mfa.Client;

/// <summary>Where the server is. Only addresses that may be given a password come out of here.</summary>
internal static class Endpoint
{
    public const string Default = "http://127.0.0.1:7443";

    public static Uri Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw FailedException.Usage($"The endpoint must be like https://mfa.example.org:7443, not: {text}");
        if (uri.PathAndQuery != "/" || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
            throw FailedException.Usage("The endpoint must be scheme, host and port only.");
        if (uri.Scheme == "http" && !uri.IsLoopback)
        {
            throw FailedException.Usage(
                $"Refused: http://{uri.Authority} would carry the credentials in clear text. Use https.");
        }
        return uri;
    }
}
