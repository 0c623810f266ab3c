using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Mfa.Client;

/// <summary>Runs a verb with what the command line said, and turns its failures into words and an exit code.</summary>
internal delegate Task<int> RunVerb(ParseResult parsed, Func<Settings, Terminal, Task<int>> verb);

/// <summary>A command whose own help ends with examples; the list of commands shows the description alone.</summary>
internal sealed class Verb(string name, string description, string examples) : Command(name, description)
{
    public string Examples { get; } = examples;
}

internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    /// <summary>Whoever asks for help is not told what is missing.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var exitCode = help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is Verb verb)
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var line in verb.Examples.Split('\n')) output.WriteLine($"  {line}");
        }
        return exitCode;
    }
}
