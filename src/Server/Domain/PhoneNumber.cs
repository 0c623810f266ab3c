namespace Mfa.Server.Domain;

/// <summary>A phone number in E.164 form, as a parser that knows the world's numbering plans has made it.</summary>
/// <param name="e164">A plus sign and digits alone.</param>
/// <param name="countryCode">The calling code, such as 1 or 44.</param>
/// <param name="region">The region it belongs to, such as CA; empty when it belongs to several.</param>
internal sealed class PhoneNumber(string e164, int countryCode, string region)
{
    public string Region => region;

    public string Reveal() => e164;

    /// <summary>`+1 *** *** **66`: enough to recognise the own number.</summary>
    public string Masked() => $"+{countryCode} *** *** **{e164[^2..]}";

    public override string ToString() => nameof(PhoneNumber);
}
