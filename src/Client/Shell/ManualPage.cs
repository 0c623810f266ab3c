using System.CommandLine;
using System.Text;

namespace Mfa.Client.Shell;

/// <summary>mfa(1), in the language of man pages (man(7)).</summary>
internal static class ManualPage
{
    public static string For(RootCommand root, string version)
    {
        var page = new StringBuilder($"""
            .TH MFA 1 "" "mfa {version}" "User Commands"
            .SH NAME
            mfa \- switches on and checks the second factor of an account
            .SH SYNOPSIS
            .B mfa
            .RI [ options ] " verb " [ arguments ]
            .SH DESCRIPTION
            Talks to an MfaGrpc server. Prompts and text for people go to standard error, results to standard output.
            .SH VERBS

            """);
        foreach (var verb in CommandTree.Verbs(root))
        {
            var arguments = verb.Arguments.Select(argument =>
                argument.Arity.MinimumNumberOfValues > 0 ? argument.HelpName ?? argument.Name : $"[{argument.HelpName ?? argument.Name}]");
            page.Append($".SS {Text(string.Join(' ', [verb.Name, .. arguments]))}\n{Text(verb.Description)}\n");
            foreach (var argument in verb.Arguments) page.Append($".TP\n.I {Text(argument.HelpName ?? argument.Name)}\n{Text(argument.Description)}\n");
            foreach (var option in CommandTree.Options(verb)) page.Append(Paragraph(option));
            if (verb is Verb { Examples: var examples }) page.Append($".PP\nExamples:\n.PP\n.nf\n.RS\n{Text(examples)}\n.RE\n.fi\n");
        }

        page.Append(".SH OPTIONS\nThey go with every verb.\n");
        foreach (var option in CommandTree.Options(root)) page.Append(Paragraph(option));
        page.Append("""
            .SH EXIT STATUS
            0 done, 1 refused or failed, 2 usage, 130 interrupted.
            .SH ENVIRONMENT
            MFA_ENDPOINT, MFA_CACERT, and one of MFA_USERNAME with MFA_PASSWORD, MFA_API_KEY, or MFA_CERT with MFA_KEY. The command line
            beats them.

            """);
        return page.ToString();
    }

    private static string Paragraph(Option option)
    {
        var value = CommandTree.TakesValue(option) ? $" \" \" \\fI{Text(option.HelpName ?? "VALUE")}\\fR" : "";
        return $".TP\n.BR {Text(option.Name)}{value}\n{Text(option.Description)}\n";
    }

    /// <summary>A backslash is a command, a hyphen is typeset as a dash, and a line must not begin with a dot or a quote.</summary>
    private static string Text(string? text) => string.Join('\n', (text ?? "").Split('\n').Select(line =>
        (line.StartsWith('.') || line.StartsWith('\'') ? "\\&" : "") + line.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal)));
}
