using System.Diagnostics;

namespace Mfa.EndToEnd.Processes;

/// <summary>Starts that must not succeed. The program ends by itself, so nothing is left behind to end.</summary>
internal static class Start
{
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>Serving the folder is refused: exit code 1 and one line, for an operator to read, that holds these words.</summary>
    public static async Task RefusedAsync(string data, string[] words, string? never = null) =>
        RefusedWith(await OutsideProgram.RunAsync(Serve(data), []), words, never);

    /// <summary>The start of a server on any free ports.</summary>
    public static ProcessStartInfo Serve(string data, params string[] more) =>
        ServerProgram.Command(["serve", "--data", data, "--listen", "http://127.0.0.1:0", "--web", "http://127.0.0.1:0", .. more]);

    public static void RefusedWith(Ended ended, string[] words, string? never = null)
    {
        Assert.Equal("", ended.Output);
        // On a slow machine a verb tells how far it is before it refuses.
        var line = Assert.Single(ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => !line.EndsWith(" %", StringComparison.Ordinal));
        Assert.StartsWith("mfa-server: ", line, StringComparison.Ordinal);
        Assert.All(words, word => Assert.Contains(word, line, StringComparison.Ordinal));
        if (never is not null) Assert.DoesNotContain(never, line, StringComparison.Ordinal);
        Assert.Equal(Failed, ended.ExitCode);
    }
}
