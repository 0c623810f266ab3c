using System.Text;

namespace Mfa.Client;

/// <summary>The only door to the three standard streams. Results go to standard output; prompts and everything said to
/// a person go to standard error, so that <c>mfa … &gt; file</c> stays a conversation. All text is cleaned here,
/// whoever wrote it.</summary>
internal sealed class Terminal
{
    private readonly TextWriter _results = Console.Out;
    private readonly TextWriter _talk = Console.Error;

    /// <summary>A person types the answers. Otherwise they are read from standard input line by line.</summary>
    public bool Interactive { get; } = !Console.IsInputRedirected;

    /// <summary>Columns of the terminal that results go to; null when they go to a file or a pipe.</summary>
    public int? Width { get; } = Console.IsOutputRedirected ? null : Console.WindowWidth;

    /// <summary>See https://no-color.org: any value but the empty one switches colour off.</summary>
    public bool Colour { get; } = !Console.IsOutputRedirected
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    public void Result(string line) => _results.WriteLine(Printable.Clean(line));

    public void Tell(string line) => _talk.WriteLine(Printable.Clean(line));

    /// <summary>Prints rows made by this program, control sequences included.</summary>
    public void Draw(IEnumerable<string> rows)
    {
        foreach (var row in rows) _results.WriteLine(row);
    }

    /// <returns>The line without blanks around it, or null at the end of the input.</returns>
    public string? Ask(string question)
    {
        Prompt(question);
        var line = Console.In.ReadLine();
        EndPrompt(line);
        return line?.Trim();
    }

    /// <returns>The line exactly as typed, or null at the end of the input.</returns>
    public string? AskSecret(string question)
    {
        Prompt(question);
        var line = Interactive ? ReadUnseen() : Console.In.ReadLine();
        if (Interactive) _talk.WriteLine();
        EndPrompt(line);
        return line;
    }

    /// <summary>Anything but yes is no, the end of the input too.</summary>
    public bool Confirm(string question) =>
        Ask($"{question} [y/N]")?.ToUpperInvariant() is "Y" or "YES";

    private void Prompt(string question)
    {
        // The runtime switches the terminal's own echo off at the first look at the keyboard, and from then on echoes
        // itself where it should. Looking before the prompt appears leaves no moment at which a quick typist's
        // password is shown.
        if (Interactive) _ = Console.KeyAvailable;
        _talk.Write(Printable.Clean(question) + " ");
    }

    private void EndPrompt(string? line)
    {
        // No one pressed a visible Enter: end the prompt's line, or the next text would stick to it.
        if (!Interactive || line is null) _talk.WriteLine();
    }

    private static string? ReadUnseen()
    {
        var typed = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            switch (key)
            {
                case { Key: ConsoleKey.Enter }:
                    return typed.ToString();
                case { KeyChar: '\u0004' } when typed.Length == 0: // Ctrl-D
                    return null;
                case { Key: ConsoleKey.Backspace }:
                    typed.Length = Math.Max(0, typed.Length - 1);
                    break;
                case { KeyChar: '\u0015' }: // Ctrl-U
                    typed.Clear();
                    break;
                case { KeyChar: >= ' ' }:
                    typed.Append(key.KeyChar);
                    break;
            }
        }
    }
}
