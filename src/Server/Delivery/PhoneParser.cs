using System.Globalization;
using PhoneNumbers;

namespace Mfa.Server.Delivery;

/// <summary>Reads phone numbers. The tables behind it are large and are loaded at the first use.</summary>
internal sealed class PhoneParser(DeliveryOptions options)
{
    public string Accepted => $"give one phone number, international (+14165550123) or as dialled in {options.Region}";

    /// <summary>
    /// One number has many spellings, and each must end up as the same digits, or limits can be walked around. Letters,
    /// extensions, other digits and anything else that a parser would kindly skip are refused.
    /// </summary>
    public Domain.PhoneNumber? Parse(string text)
    {
        if (text.Length is < 5 or > 32 || text.Any(c => !char.IsAsciiDigit(c) && c is not ('+' or ' ' or '-' or '.' or '(' or ')'))) return null;
        if (text.LastIndexOf('+') > 0) return null;
        var tables = PhoneNumberUtil.GetInstance();
        try
        {
            var number = tables.Parse(text, options.Region);
            if (!tables.IsValidNumber(number)) return null;
            var countryCode = number.CountryCode.ToString(CultureInfo.InvariantCulture);
            var e164 = tables.Format(number, PhoneNumberFormat.E164);
            return new Domain.PhoneNumber(countryCode, e164[(1 + countryCode.Length)..], tables.GetRegionCodeForNumber(number) ?? "");
        }
        catch (NumberParseException)
        {
            return null;
        }
    }

    /// <summary>Whether SMS to this number's region are paid for here: fraud goes through far-away premium numbers.</summary>
    public bool Allows(Domain.PhoneNumber phone) =>
        options.Regions.Count == 0 ? phone.Region == options.Region : options.Regions.Contains(phone.Region);
}
