using System.CommandLine;
using System.CommandLine.Help;
using Mfa.Client.Commands;

namespace Mfa.Client;

/// <summary>The options every verb knows, the verbs, and the one place where a failure becomes words and an exit
/// code.</summary>
internal sealed class CommandLine
{
    private readonly Option<string> _endpoint = new("--endpoint")
    {
        Description = $"Address of the server. Environment: MFA_ENDPOINT. Default: {Endpoint.Default}",
        HelpName = "URL",
        Recursive = true,
    };

    private readonly Option<string> _username = new("--username")
    {
        Description = "Sign in as this person; the password comes from a prompt, MFA_PASSWORD or standard input. "
            + "Environment: MFA_USERNAME",
        HelpName = "U",
        Recursive = true,
    };

    private readonly Option<string> _apiKeyFile = new("--api-key-file")
    {
        Description = "Sign in as the service whose API key is in this file. "
            + "Environment, with the key itself: MFA_API_KEY",
        HelpName = "F",
        Recursive = true,
    };

    private readonly Option<string> _account = new("--account")
    {
        Description = "The account to act for. Required with an API key or a certificate; a person may leave it out.",
        HelpName = "A",
        Recursive = true,
    };

    private readonly Option<string> _output = new("--output")
    {
        Description = "table for people, json for programs: one document on standard output (rm: one for each step), "
            + "also for failures.",
        HelpName = "table|json",
        DefaultValueFactory = _ => "table",
        Recursive = true,
    };

    private readonly Option<int> _timeout = new("--timeout")
    {
        Description = "How long each call may take, 1 to 3600.",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 10,
        CustomParser = result =>
        {
            var word = result.Tokens.Single().Value;
            if (int.TryParse(word, out var seconds) && seconds is >= 1 and <= 3600) return seconds;
            result.AddError("--timeout must be 1 to 3600 seconds.");
            return default;
        },
        Recursive = true,
    };

    private readonly Option<string> _caCert = new("--cacert")
    {
        Description = "Trust the certificate authorities in this PEM file, and no others. Environment: MFA_CACERT",
        HelpName = "F",
        Recursive = true,
    };

    private readonly Option<string> _cert = new("--cert")
    {
        Description = "Sign in as the service whose certificate is in this PEM file. Environment: MFA_CERT",
        HelpName = "F",
        Recursive = true,
    };

    private readonly Option<string> _key = new("--key")
    {
        Description = "The private key of --cert, PEM, readable by its owner alone. Environment: MFA_KEY",
        HelpName = "F",
        Recursive = true,
    };

    private readonly Option<bool> _skipVerify = new("--insecure-skip-verify")
    {
        Description = "Do not check who the server is. Anyone on the way can then read and change everything.",
        Arity = ArgumentArity.Zero, // no value that could be taken for "off"
        Recursive = true,
    };

    private readonly Terminal _terminal;

    private CommandLine(Terminal terminal)
    {
        _terminal = terminal;
        _output.AcceptOnlyFromAmong("table", "json");
    }

    public static Task<int> RunAsync(string[] args, Terminal terminal) => new CommandLine(terminal).RunAsync(args);

    private async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand(
            """
            Switches on and checks the second factor of an account.

            Exit codes: 0 done, 1 refused or failed, 2 usage, 130 interrupted.

            Examples:
              mfa mk AUTHENTICATOR
              mfa --username alice verify 123456
              mfa --username alice rm
              mfa --api-key-file shop.key --account alice --output json status
            """)
        {
            _endpoint, _username, _apiKeyFile, _account, _output, _timeout, _caCert, _cert, _key, _skipVerify,
            Mk.Command(RunAsync), Verify.Command(RunAsync), GetToken.Command(RunAsync), Rm.Command(RunAsync),
            Status.Command(RunAsync), RecoveryCodes.Command(RunAsync),
        };
        root.Subcommands.Add(Texts.Completion(root, RunAsync));
        root.Subcommands.Add(Texts.Man(root, RunAsync));
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);

        // Account ids may begin with `@`: no argument is the name of a file to read more arguments from.
        var parsed = root.Parse(args, new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            var message = string.Join(' ', parsed.Errors.Select(e => e.Message));
            return Report(Failure.Usage($"{message} See: mfa --help"), json: WantsJson(args));
        }
        return await parsed.InvokeAsync(
            new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private async Task<int> RunAsync(ParseResult parsed, Func<Settings, Terminal, Task<int>> verb)
    {
        var settings = new Settings(
            parsed.GetValue(_endpoint), parsed.GetValue(_username), parsed.GetValue(_apiKeyFile),
            parsed.GetValue(_account), parsed.GetValue(_output) == "json",
            TimeSpan.FromSeconds(parsed.GetValue(_timeout)),
            new TlsSettings(
                parsed.GetValue(_caCert), parsed.GetValue(_cert), parsed.GetValue(_key), parsed.GetValue(_skipVerify)));
        try
        {
            return await verb(settings, _terminal);
        }
        catch (FailedException e)
        {
            return Report(e.Failure, settings.Json);
        }
        catch (IOException e)
        {
            // Standard output is full or gone: whoever reads it has not got the result.
            _terminal.Tell($"Cannot write the result: {e.Message}");
            return ExitCode.Refused;
        }
    }

    private int Report(Failure failure, bool json)
    {
        if (json) _terminal.Result(JsonReplies.Write(failure));
        else foreach (var line in failure.Lines()) _terminal.Tell(line);
        return failure.ExitCode;
    }

    // The command line did not parse, so nobody knows for sure; a program that asked for JSON still gets it.
    private static bool WantsJson(string[] args) =>
        args.Contains("--output=json") || args.Contains("--output:json")
        || args.Zip(args.Skip(1)).Contains(("--output", "json"));
}
