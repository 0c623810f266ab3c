using System.Text;
using Mfa.Server.Callers;

namespace Mfa.Server.Commands;

/// <summary>Reads a new password: twice and unseen from a terminal, or one line of standard input. Never from the command line.</summary>
internal static class PasswordPrompt
{
    public static async Task<string> ReadNewAsync(CancellationToken ct)
    {
        string? password;
        if (Console.IsInputRedirected)
        {
            password = await Console.In.ReadLineAsync(ct);
        }
        else
        {
            password = ReadUnseen("Password: ");
            while (ReadUnseen("Repeat for confirmation: ") != password)
            {
                await Console.Error.WriteLineAsync("The two differ. Once more.");
                password = ReadUnseen("Password: ");
            }
        }

        if (password is not { Length: >= PasswordOptions.MinLength and <= PasswordOptions.MaxLength } || password.Any(char.IsControl))
        {
            throw new StartRefusedException(
                $"A password has {PasswordOptions.MinLength} to {PasswordOptions.MaxLength} characters, and no control characters.");
        }

        return password;
    }

    /// <summary>Reads a password that somebody else has set: once.</summary>
    public static async Task<string> ReadAsync(string prompt, CancellationToken ct) =>
        Console.IsInputRedirected ? await Console.In.ReadLineAsync(ct) ?? "" : ReadUnseen(prompt);

    private static string ReadUnseen(string prompt)
    {
        Console.Error.Write(prompt);
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
        {
            if (key.Key == ConsoleKey.Backspace) typed.Length = Math.Max(0, typed.Length - 1);
            else if (!char.IsControl(key.KeyChar)) typed.Append(key.KeyChar);
        }

        Console.Error.WriteLine();
        return typed.ToString();
    }
}
