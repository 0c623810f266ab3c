using Google.Rpc;
using Mfa.Server.Callers;
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

    public Method Method(V1.Method method)
    {
        switch (method)
        {
            case V1.Method.Authenticator:
                return Domain.Method.Authenticator;
            case V1.Method.Email or V1.Method.Sms:
                Add("method", "this server does not send codes yet; use METHOD_AUTHENTICATOR");
                break;
            case V1.Method.Unspecified:
            default: // open enum: any number can arrive
                Add("method", "choose METHOD_AUTHENTICATOR");
                break;
        }

        return Domain.Method.Unspecified;
    }

    public EmailAddress? Email(string text, Principal caller)
    {
        if (text.Length == 0) return null;
        if (caller.Kind == CallerKind.Person)
        {
            Add("email", "leave it empty: your address comes from the directory");
            return null;
        }

        var email = EmailAddress.Parse(text);
        Require(email is not null, "email", EmailAddress.Accepted);
        return email;
    }

    /// <summary>A phone belongs to a method that this server does not offer yet.</summary>
    public void NoPhone(string text) => Require(text.Length == 0, "phone", "leave it empty: METHOD_AUTHENTICATOR needs no phone");

    public string? Label(string text)
    {
        if (text.Length == 0) return null;
        Require(KeyUri.IsLabel(text), "label", KeyUri.AcceptedLabel);
        return text;
    }

    /// <summary>Checks the shape of a BCP 47 tag (RFC 5646 §2.1): subtags of 1 to 8 letters and digits.</summary>
    public void Locale(string text)
    {
        if (text.Length == 0) return;
        var shaped = text.Length <= 35 && text.Split('-').All(tag => tag.Length is >= 1 and <= 8 && tag.All(char.IsAsciiLetterOrDigit));
        Require(shaped && char.IsAsciiLetter(text[0]), "locale", "give a BCP 47 tag of at most 35 characters, such as en or fr-CA");
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

    private void Require(bool good, string field, string remedy)
    {
        if (!good) Add(field, remedy);
    }

    private void Add(string field, string remedy) => _violations.Add(Violation(field, remedy));
}
