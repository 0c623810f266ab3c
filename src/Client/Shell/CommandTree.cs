using System.CommandLine;
using System.CommandLine.Help;

namespace Mfa.Client.Shell;

/// <summary>What completions and the manual page tell of the command line, read off the command line itself.</summary>
internal static class CommandTree
{
    public static IEnumerable<Command> Verbs(RootCommand root) => root.Subcommands.Where(verb => !verb.Hidden);

    /// <summary>Options that a command has of its own; those of the root go with every verb.</summary>
    public static IEnumerable<Option> Options(Command command) => command.Options.Where(option => !option.Hidden);

    public static bool TakesValue(Option option) => option is not HelpOption && option.Arity.MaximumNumberOfValues > 0 && option.ValueType != typeof(bool);

    /// <summary>Whether the value is the name of a file.</summary>
    public static bool TakesFile(Option option) => option.HelpName == "F";

    /// <summary>The words that are accepted, where they are few: `table|json`.</summary>
    public static string[] Choices(Symbol symbol) =>
        (symbol is Option option ? option.HelpName : ((Argument)symbol).HelpName) is { } name && name.Contains('|', StringComparison.Ordinal)
            ? name.Split('|')
            : [];

    public static string[] Choices(Command verb) => [.. verb.Arguments.SelectMany(Choices)];

    /// <summary>The first line of what a command is for.</summary>
    public static string Summary(Symbol symbol) => (symbol.Description ?? "").Split('\n')[0];
}
