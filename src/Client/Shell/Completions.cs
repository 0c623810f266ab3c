using System.CommandLine;
using System.Text;

namespace Mfa.Client.Shell;

/// <summary>A script a shell that completes verbs, options and the values that are known. It calls no program while completing.</summary>
internal static class Completions
{
    public static readonly string[] Shells = ["bash", "zsh", "fish"];

    public static string For(string shell, RootCommand root) => shell switch
    {
        "bash" => Bash(root),
        "zsh" => Zsh(root),
        _ => Fish(root),
    };

    private static string Bash(RootCommand root)
    {
        var verbs = string.Join(' ', CommandTree.Verbs(root).Select(verb => verb.Name));
        var every = Names(root);
        var script = new StringBuilder($$"""
            # bash completion for mfa: put this into ~/.local/share/bash-completion/completions/mfa
            _mfa() {
              local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb= i
              for ((i = 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in
                  {{verbs.Replace(' ', '|')}}) verb=${COMP_WORDS[i]}; break ;;
                esac
              done
              COMPREPLY=()
              case $previous in

            """);
        foreach (var option in All(root).Where(CommandTree.TakesValue))
        {
            var values = CommandTree.TakesFile(option) ? "-f" : $"-W '{string.Join(' ', CommandTree.Choices(option))}'";
            script.Append($"    {option.Name}) COMPREPLY=($(compgen {values} -- \"$word\")); return ;;\n");
        }

        script.Append("  esac\n  case $verb in\n");
        foreach (var verb in CommandTree.Verbs(root))
            script.Append($"    {verb.Name}) COMPREPLY=($(compgen -W '{string.Join(' ', [.. CommandTree.Choices(verb), Names(verb), every])}' -- \"$word\")) ;;\n");
        script.Append($"    *) COMPREPLY=($(compgen -W '{verbs} {every}' -- \"$word\")) ;;\n  esac\n}}\ncomplete -F _mfa mfa\n");
        return script.ToString();
    }

    private static string Zsh(RootCommand root)
    {
        var script = new StringBuilder($$"""
            #compdef mfa
            # zsh completion for mfa: put this into a folder of $fpath, as _mfa
            _mfa() {
              local -a every verbs
              every=({{string.Join(' ', CommandTree.Options(root).Select(ZshOption))}})
              verbs=({{string.Join(' ', CommandTree.Verbs(root).Select(verb => Quote($"{verb.Name}:{CommandTree.Summary(verb)}")))}})
              _arguments -C $every '1: :->verb' '*:: :->rest'
              case $state in
                verb) _describe verb verbs ;;
                rest)
                  case $words[1] in

            """);
        foreach (var verb in CommandTree.Verbs(root))
        {
            string[] own = [.. CommandTree.Options(verb).Select(ZshOption)];
            var choices = CommandTree.Choices(verb);
            if (choices.Length > 0) own = [.. own, Quote($"1: :({string.Join(' ', choices)})")];
            script.Append($"        {verb.Name}) _arguments $every {string.Join(' ', own)} ;;\n".Replace("  ;;", " ;;", StringComparison.Ordinal));
        }

        script.Append("      esac ;;\n  esac\n}\ncompdef _mfa mfa\n");
        return script.ToString();
    }

    private static string Fish(RootCommand root)
    {
        var script = new StringBuilder("# fish completion for mfa: put this into ~/.config/fish/completions/mfa.fish\ncomplete -c mfa -f\n");
        foreach (var option in CommandTree.Options(root)) script.Append($"complete -c mfa {FishOption(option)}\n");
        foreach (var verb in CommandTree.Verbs(root))
        {
            script.Append($"complete -c mfa -n __fish_use_subcommand -a {verb.Name} -d {Quote(CommandTree.Summary(verb))}\n");
            var given = $"-n '__fish_seen_subcommand_from {verb.Name}'";
            foreach (var option in CommandTree.Options(verb)) script.Append($"complete -c mfa {given} {FishOption(option)}\n");
            if (CommandTree.Choices(verb) is { Length: > 0 } choices) script.Append($"complete -c mfa {given} -a '{string.Join(' ', choices)}'\n");
        }

        return script.ToString();
    }

    private static string ZshOption(Option option)
    {
        var text = CommandTree.Summary(option).Replace("[", "(", StringComparison.Ordinal).Replace("]", ")", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);
        var value = !CommandTree.TakesValue(option) ? ""
            : CommandTree.TakesFile(option) ? ":file:_files"
            : $":value:({string.Join(' ', CommandTree.Choices(option))})";
        return Quote($"{option.Name}[{text}]{value}");
    }

    private static string FishOption(Option option)
    {
        var value = !CommandTree.TakesValue(option) ? "" : CommandTree.TakesFile(option) ? " -r -F" : " -x";
        var choices = CommandTree.Choices(option) is { Length: > 0 } words ? $" -a '{string.Join(' ', words)}'" : "";
        return $"-l {option.Name.TrimStart('-')}{value}{choices} -d {Quote(CommandTree.Summary(option))}";
    }

    private static IEnumerable<Option> All(RootCommand root) =>
        CommandTree.Options(root).Concat(CommandTree.Verbs(root).SelectMany(CommandTree.Options)).DistinctBy(option => option.Name);

    private static string Names(Command command) => string.Join(' ', CommandTree.Options(command).Select(option => option.Name));

    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
