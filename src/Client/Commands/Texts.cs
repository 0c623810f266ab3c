using System.CommandLine;
using Mfa.Client.Shell;

namespace Mfa.Client.Commands;

/// <summary>`mfa completion` and `mfa man`: texts about the command line itself. They need no server.</summary>
internal static class Texts
{
    public static Command Completion(RootCommand root, RunVerb run)
    {
        var shell = new Argument<string>("SHELL") { Description = "Which shell.", HelpName = string.Join('|', Completions.Shells) };
        shell.AcceptOnlyFromAmong(Completions.Shells);
        var command = new Verb("completion", "Writes a script that completes verbs and options in a shell.", "source <(mfa completion bash)") { shell };
        command.SetAction((parsed, _) => run(parsed, (_, terminal) => Write(terminal, Completions.For(parsed.GetValue(shell)!, root))));
        return command;
    }

    public static Command Man(RootCommand root, RunVerb run)
    {
        var command = new Verb("man", "Writes the manual page.", "mfa man | man -l -");
        command.SetAction((parsed, _) => run(parsed, (_, terminal) => Write(terminal, ManualPage.For(root, typeof(Texts).Assembly.GetName().Version!.ToString(3)))));
        return command;
    }

    private static Task<int> Write(Terminal terminal, string text)
    {
        foreach (var line in text.TrimEnd('\n').Split('\n')) terminal.Result(line);
        return Task.FromResult(ExitCode.Done);
    }
}
