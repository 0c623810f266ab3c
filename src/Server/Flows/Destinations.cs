using System.Text;
using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Flows;

/// <summary>Where messages go: sealed in the account, opened for a message, masked for everybody else.</summary>
internal sealed class Destinations(Sealer sealer)
{
    public SealedBytes? Seal(AccountKey key, EmailAddress? email) =>
        email is null ? null : sealer.Seal(Encoding.UTF8.GetBytes(email.Reveal()), Sealer.EmailBinding(key));

    public SealedBytes? Seal(AccountKey key, PhoneNumber? phone) =>
        phone is null ? null : sealer.Seal(Encoding.UTF8.GetBytes(phone.Stored), Sealer.PhoneBinding(key));

    public EmailAddress? Email(AccountKey key, Enrollment enrollment) =>
        enrollment.Email is { } email ? EmailAddress.Parse(Opened(email, Sealer.EmailBinding(key))) : null;

    public PhoneNumber? Phone(AccountKey key, Enrollment enrollment) =>
        enrollment.Phone is { } phone ? PhoneNumber.FromStored(Opened(phone, Sealer.PhoneBinding(key))) : null;

    /// <summary>Where codes go or, when an app computes them, where notices go; empty when neither is on record.</summary>
    public string Masked(AccountKey key, Enrollment? enrollment) => enrollment switch
    {
        null => "",
        { Method: Method.Sms } => Phone(key, enrollment)?.Masked() ?? "",
        _ => Email(key, enrollment)?.Masked() ?? "",
    };

    private string Opened(SealedBytes value, byte[] binding) => Encoding.UTF8.GetString(sealer.Open(value, binding));
}
