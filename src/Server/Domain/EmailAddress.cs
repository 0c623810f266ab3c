using System.Buffers;
using System.Net.Mail;

namespace Mfa.Server.Domain;

/// <summary>One plain mail address, ASCII, that means to every mail program what it says.</summary>
internal sealed class EmailAddress
{
    public const string Accepted = "give one plain address like name@example.org, ASCII, at most 254 characters";

    /// <summary>RFC 5321 §4.5.3.1.3 less the angle brackets.</summary>
    private const int MaxLength = 254;

    private static readonly SearchValues<char> Local =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+/=?^_`{|}~-");

    private static readonly SearchValues<char> Domain =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-");

    private readonly string _text;

    private EmailAddress(string text) => _text = text;

    /// <summary>
    /// MailAddress alone reads `a@x, evil@y` as evil: the alphabet is checked first (RFC 5322 dot-atoms, no quotes, no
    /// comments), and what the parser makes of it must equal the input.
    /// </summary>
    public static EmailAddress? Parse(string text)
    {
        var at = text.IndexOf('@');
        if (at < 1 || text.Length > MaxLength) return null;
        if (text.AsSpan(0, at).ContainsAnyExcept(Local) || text.AsSpan(at + 1).ContainsAnyExcept(Domain)) return null;
        if (!text.AsSpan(at + 1).Contains('.') || text.EndsWith('.') || text.Contains("..")) return null;
        return MailAddress.TryCreate(text, out var parsed) && parsed.Address == text ? new EmailAddress(text) : null;
    }

    public string Reveal() => _text;

    /// <summary>`j***@e***.org`: enough to recognise the own address, too little to learn another's.</summary>
    public string Masked()
    {
        var at = _text.IndexOf('@');
        return $"{_text[0]}***@{_text[at + 1]}***{_text[_text.LastIndexOf('.')..]}";
    }

    public override string ToString() => nameof(EmailAddress);
}
