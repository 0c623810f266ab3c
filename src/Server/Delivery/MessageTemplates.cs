using System.Collections.Frozen;
using System.Net;
using System.Reflection;
using System.Text;

namespace Mfa.Server.Delivery;

/// <summary>What a message says.</summary>
internal sealed record MessageText(string Subject, string Text, string Html)
{
    public override string ToString() => nameof(MessageText);
}

/// <summary>
/// The texts of messages: NAME.LANGUAGE.txt, the subject in the first line. English and French come with the program; a
/// folder of the operator's can replace them and add languages.
/// </summary>
internal sealed class MessageTemplates
{
    public const string Sms = "sms"; // has no subject and no HTML

    public static readonly IReadOnlyList<string> Names =
        ["code", Sms, "disable", "disable-token", "enabled", "replaced", "disabled", "recovery-used", "recovery-low", "locked"];

    private readonly FrozenDictionary<string, string> _texts;

    private readonly string _defaultLanguage;

    /// <param name="folder">The operator's texts; null for none.</param>
    /// <exception cref="StartRefusedException">A text is missing, has no subject line, or names an unknown value.</exception>
    public MessageTemplates(string? folder, string defaultLanguage = "en")
    {
        var texts = Shipped();
        foreach (var (name, text) in folder is null ? [] : Own(folder)) texts[name] = text;
        _texts = texts.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        Languages = [.. texts.Keys.Select(name => name[(name.IndexOf('.') + 1)..]).Distinct().Order(StringComparer.Ordinal)];
        foreach (var language in Languages)
        {
            foreach (var name in Names.Where(name => !_texts.ContainsKey($"{name}.{language}")))
                throw new StartRefusedException($"Message texts: {name}.{language}.txt is missing; a language needs all of {string.Join(", ", Names)}.");
        }

        _defaultLanguage = LanguageFor(defaultLanguage)
            ?? throw new StartRefusedException($"Setting messages:language: there are texts in {string.Join(", ", Languages)}.");
    }

    public IReadOnlyList<string> Languages { get; }

    /// <summary>The language for a BCP 47 tag: its primary subtag, when there are texts in it (RFC 4647 §3.4, lookup).</summary>
    public string? LanguageFor(string tag) =>
        Languages.FirstOrDefault(language => tag.Split('-')[0].Equals(language, StringComparison.OrdinalIgnoreCase));

    /// <param name="values">
    /// What goes in for {name}. Put in by one pass, so that a value cannot bring names of its own, and without control
    /// characters, so that it cannot bring lines; in HTML, encoded.
    /// </param>
    public MessageText Fill(string name, string? locale, IReadOnlyDictionary<string, string> values)
    {
        var language = (locale is null ? null : LanguageFor(locale)) ?? _defaultLanguage;
        var filled = Fill(_texts[$"{name}.{language}"], values);
        if (name == Sms) return new MessageText("", filled.Trim('\n'), "");
        var end = filled.IndexOf('\n');
        var text = filled[(end + 1)..].Trim('\n') + "\n";
        return new MessageText(filled[..end].Trim(), text, HtmlOf(text));
    }

    private static string Fill(string template, IReadOnlyDictionary<string, string> values)
    {
        var filled = new StringBuilder();
        var at = 0;
        while (template.IndexOf('{', at) is var open and >= 0 && template.IndexOf('}', open) is var close and >= 0)
        {
            filled.Append(template, at, open - at);
            foreach (var c in values[template[(open + 1)..close]])
            {
                if (!char.IsControl(c) && c is not '\u2028' and not '\u2029') filled.Append(c);
            }

            at = close + 1;
        }

        return filled.Append(template, at, template.Length - at).ToString();
    }

    /// <summary>The same words as the plain text: paragraphs, and nothing in them that a browser would take for markup.</summary>
    private static string HtmlOf(string text)
    {
        var paragraphs = text.Trim('\n').Split("\n\n").Select(p => $"<p>{WebUtility.HtmlEncode(p).Replace("\n", "<br>")}</p>");
        return $"<!doctype html><html><body style=\"font-family:sans-serif\">{string.Concat(paragraphs)}</body></html>";
    }

    private static Dictionary<string, string> Shipped()
    {
        const string Prefix = "text.";
        var assembly = Assembly.GetExecutingAssembly();
        var texts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var resource in assembly.GetManifestResourceNames().Where(r => r.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            texts[Path.GetFileNameWithoutExtension(resource[Prefix.Length..])] = reader.ReadToEnd();
        }

        return texts;
    }

    private static IEnumerable<(string, string)> Own(string folder)
    {
        if (!Directory.Exists(folder)) throw new StartRefusedException($"Setting messages:folder: there is no folder {folder}.");
        foreach (var file in Directory.EnumerateFiles(folder, "*.txt"))
        {
            var name = Path.GetFileNameWithoutExtension(file);
            var known = Names.FirstOrDefault(n => name.StartsWith(n + ".", StringComparison.OrdinalIgnoreCase))
                ?? throw new StartRefusedException($"{file}: not a message text; names are {string.Join(", ", Names)}, a dot and a language.");
            var text = File.ReadAllText(file).ReplaceLineEndings("\n");
            RefuseBroken(file, known, text);
            yield return (name, text);
        }
    }

    /// <summary>Better refused at the start than when a code must go out.</summary>
    private static void RefuseBroken(string file, string name, string text)
    {
        if (name != Sms && text.Split('\n', 2) is not [{ Length: > 0 }, ['\n', ..]])
            throw new StartRefusedException($"{file}: the first line is the subject, the second is empty.");
        try
        {
            _ = Fill(text, MessageValues.Sample);
        }
        catch (KeyNotFoundException)
        {
            throw new StartRefusedException($"{file}: names a value that does not exist; there are {string.Join(", ", MessageValues.Sample.Keys.Select(k => $"{{{k}}}"))}.");
        }
    }
}
