namespace Mfa.Client;

/// <summary>Recovery codes kept in a text file of the current folder, one a line, for their owner alone.</summary>
internal static class RecoveryFile
{
    // Two of these and the ending stay below the 255 bytes of a file name.
    private const int LongestPart = 100;

    /// <summary>Offers to write the file and says what became of it. The codes are on the screen already, so no
    /// outcome loses them.</summary>
    public static void Offer(Terminal terminal, IEnumerable<string> codes, params string[] nameParts)
    {
        if (!terminal.Confirm("Would you like to save the codes into a text file?")) return;
        var name = Name(nameParts);
        terminal.Tell(Write(name, codes) is { } problem
            ? $"Nothing was written to {name}: {problem}"
            : $"Written {name} with recovery codes.");
    }

    /// <summary>Account ids and issuers are the server's words: nothing in them may name another folder or hide the
    /// file.</summary>
    internal static string Name(params string[] parts) =>
        string.Join('_', parts.Append("recovery_codes").Select(Safe)) + ".txt";

    /// <returns>What went wrong, or null.</returns>
    internal static string? Write(string path, IEnumerable<string> codes)
    {
        // O_CREAT | O_EXCL: never an existing file, never through a symbolic link, not even a dangling one; and the
        // mode holds from the first moment, whatever the umask.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

        FileStream file;
        try
        {
            file = new FileStream(path, options);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }

        try
        {
            using var lines = new StreamWriter(file);
            foreach (var code in codes) lines.WriteLine(Printable.Clean(code));
            return null;
        }
        catch (IOException e)
        {
            File.Delete(path); // ours, and half a set would pass for a whole one
            return e.Message;
        }
    }

    private static string Safe(string part)
    {
        var safe = string.Concat(part.Take(LongestPart).Select(
            c => char.IsAsciiLetterOrDigit(c) || "._@+-".Contains(c) ? c : '_'));
        // A leading dot hides the file, a leading hyphen makes it an option of the next command.
        return safe.Length == 0 || safe[0] is '.' or '-' ? '_' + safe.TrimStart('.', '-') : safe;
    }
}
