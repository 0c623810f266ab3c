using Google.Rpc;
using Mfa.Server.Callers;
using Mfa.Server.Delivery;
using Mfa.Server.Domain;

namespace Mfa.Server.Services;

/// <summary>
/// Reads the fields of a request by their form alone, before anything is looked up. Collects every violation, so that one
/// answer names all that must be mended.
/// </summary>
internal sealed class Form
{
    private readonly List<BadRequest.Types.FieldViolation> _violations = [];

    public static BadRequest.Types.FieldViolation Violation(string field, string description) =>
        new() { Field = field, Description = description };

    /// <summary>The account the call is about. A person has only their own, and need not name it.</summary>
    /// <exception cref="Grpc.Core.RpcException">A person named another account; whether it exists is not looked up.</exception>
    public AccountKey Account(string text, Principal caller)
    {
        if (caller.Kind == CallerKind.Person)
        {
            if (text.Length > 0 && text != caller.Name) throw Errors.CallerNotAllowed();
            return new AccountKey(caller.Tenant, caller.Name);
        }

        Require(AccountKey.IsName(text), "account", AccountKey.AcceptedName);
        return new AccountKey(caller.Tenant, text);
    }

    public SubmittedCode? Code(string text, bool required)
    {
        if (text.Length == 0 && !required) return null;
        var code = SubmittedCode.Parse(text);
        Require(code is not null, "code", SubmittedCode.Accepted);
        return code;
    }

    public Method Method(V1.Method method, IEnumerable<ISender> senders)
    {
        switch (method)
        {
            case V1.Method.Authenticator:
                return Domain.Method.Authenticator;
            case V1.Method.Email:
                RequireSender(Channel.Email, senders);
                return Domain.Method.Email;
            case V1.Method.Sms:
                RequireSender(Channel.Sms, senders);
                return Domain.Method.Sms;
            case V1.Method.Unspecified:
            default: // open enum: any number can arrive
                Add("method", "choose METHOD_AUTHENTICATOR, METHOD_EMAIL or METHOD_SMS");
                return Domain.Method.Unspecified;
        }
    }

    public EmailAddress? Email(string text, Method method, Principal caller)
    {
        if (caller.Kind == CallerKind.Person)
        {
            Require(text.Length == 0, "email", "leave it empty: your address comes from the directory");
            return null;
        }

        if (text.Length == 0 && method != Domain.Method.Email) return null;
        var email = EmailAddress.Parse(text);
        Require(email is not null, "email", EmailAddress.Accepted);
        return email;
    }

    public PhoneNumber? Phone(string text, Method method, PhoneParser phones)
    {
        if (method != Domain.Method.Sms)
        {
            Require(text.Length == 0, "phone", "leave it empty: only METHOD_SMS takes a phone");
            return null;
        }

        var phone = phones.Parse(text);
        Require(phone is not null, "phone", phones.Accepted);
        return phone;
    }

    public byte[]? Token(string text)
    {
        var secret = DisableToken.Parse(text);
        Require(secret is not null, "token", DisableToken.Accepted);
        return secret;
    }

    public string? Label(string text)
    {
        if (text.Length == 0) return null;
        Require(KeyUri.IsLabel(text), "label", KeyUri.AcceptedLabel);
        return text;
    }

    /// <summary>The language that a BCP 47 tag asks for, if there are messages in it.</summary>
    public string? Locale(string text, MessageTemplates templates)
    {
        if (text.Length == 0) return null;
        var shaped = text.Length <= 35 && text.Split('-').All(tag => tag.Length is >= 1 and <= 8 && tag.All(char.IsAsciiLetterOrDigit));
        var language = shaped ? templates.LanguageFor(text) : null;
        Require(language is not null, "locale", $"there are messages in {string.Join(", ", templates.Languages)}; a region may follow, as in fr-CA");
        return language;
    }

    public Guid? Uuid(string text, string field)
    {
        if (text.Length == 0) return null;
        var parsed = Guid.TryParseExact(text, "D", out var id) && text.Length == 36; // the parser trims blanks
        Require(parsed && id != Guid.Empty, field, "give a UUID such as 0b4f0f8e-3c1c-4d5e-9d0a-6f2f5c1a7b11, or leave it empty");
        return id;
    }

    /// <exception cref="Grpc.Core.RpcException">At least one field has a form that is not accepted.</exception>
    public void ThrowIfBad()
    {
        if (_violations.Count > 0) throw Errors.Fields(_violations);
    }

    /// <summary>Better refused now than enrolled with a method whose codes never come.</summary>
    private void RequireSender(Channel channel, IEnumerable<ISender> senders) =>
        Require(senders.Any(sender => sender.Channel == channel), "method", $"this server is not set up to send by {channel}; choose another method");

    private void Require(bool good, string field, string remedy)
    {
        if (!good) Add(field, remedy);
    }

    private void Add(string field, string remedy) => _violations.Add(Violation(field, remedy));
}
