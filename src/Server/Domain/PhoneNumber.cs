namespace Mfa.Server.Domain;

/// <summary>A phone number, as a parser that knows the world's numbering plans has made it.</summary>
/// <param name="countryCode">The calling code, such as 1 or 44.</param>
/// <param name="national">The rest of the E.164 number.</param>
/// <param name="region">The region it belongs to, such as CA; empty when that is not known.</param>
internal sealed class PhoneNumber(string countryCode, string national, string region = "")
{
    public string Region => region;

    /// <summary>What is stored: E.164 with a blank after the country code, so that masking needs no numbering plan.</summary>
    public string Stored => $"+{countryCode} {national}";

    public static PhoneNumber FromStored(string stored)
    {
        var blank = stored.IndexOf(' ');
        return new PhoneNumber(stored[1..blank], stored[(blank + 1)..]);
    }

    public string Reveal() => $"+{countryCode}{national}";

    /// <summary>`+1 *** *** **66`: enough to recognise the own number.</summary>
    public string Masked() => $"+{countryCode} *** *** **{national[^2..]}";

    public override string ToString() => nameof(PhoneNumber);
}
