using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Transfer;

/// <summary>What a file says about a factor of an authenticator app, not yet believed. One place decides what is fit, for all formats.</summary>
internal sealed class ForeignClaims(string place)
{
    /// <summary>
    /// RFC 4226 §4 R6 asks for 128 bits, but the 80 bits of older programs are in many people's apps. They come along with a
    /// note: nobody finds 80 bits by guessing codes.
    /// </summary>
    private const int FewestBytes = 10;

    private const int BytesOfRfc = 16;

    /// <summary>Longer ones are hashed before use (RFC 2104 §2), so nobody has a reason for them.</summary>
    private const int MostBytes = 128;

    public string Account { get; init; } = "";

    public string Issuer { get; init; } = "";

    public string Type { get; init; } = "totp";

    /// <summary>Null when there is none or it does not read.</summary>
    public byte[]? Secret { get; init; }

    public string Algorithm { get; init; } = "SHA1";

    public long? Digits { get; init; } = 6;

    public long? Period { get; init; } = 30;

    public long LastStep { get; init; }

    public bool Proven { get; init; } = true;

    /// <summary>An address that its owner has confirmed.</summary>
    public string Email { get; init; } = "";

    public string Note { get; init; } = "";

    /// <returns>A row with the factor, or with why it is not fit.</returns>
    public ForeignRow Judge()
    {
        if (TypeProblem() is { } type) return ForeignRow.Unsupported(place, type, Account);
        if (!AccountKey.IsName(Account)) return ForeignRow.Broken(place, $"account: {AccountKey.AcceptedName}", Account);
        if (SecretProblem() is { } secret) return ForeignRow.Broken(place, secret, Account);
        var algorithm = AlgorithmOf(Algorithm);
        if (algorithm == OtpAlgorithm.Unspecified) return ForeignRow.Unsupported(place, "algorithm: only SHA1, SHA256 and SHA512", Account);
        if (Digits is not (>= TotpParameters.FewestDigits and <= TotpParameters.MostDigits))
            return ForeignRow.Unsupported(place, $"digits: only {TotpParameters.FewestDigits} to {TotpParameters.MostDigits}", Account);
        if (Period is not (>= TotpParameters.ShortestPeriod and <= TotpParameters.LongestPeriod))
            return ForeignRow.Unsupported(place, $"period: only {TotpParameters.ShortestPeriod} to {TotpParameters.LongestPeriod} seconds", Account);
        if (LastStep < 0) return ForeignRow.Broken(place, "last step: negative", Account);

        var email = EmailAddress.Parse(Email);
        var totp = new TotpParameters(algorithm, (int)Digits, (int)Period);
        var factor = new ForeignFactor(Account, Method.Authenticator, totp, new OpenSecret(Secret!), LastStep, Proven, Notes(email))
        {
            Issuer = Issuer,
            Email = email,
        };
        return new ForeignRow(place, Account, RowKind.Fit, "", factor);
    }

    /// <returns>Unspecified for one that codes are not computed with.</returns>
    public static OtpAlgorithm AlgorithmOf(string name) => name.ToUpperInvariant() switch
    {
        "SHA1" or "SHA-1" or "HMACSHA1" => OtpAlgorithm.Sha1,
        "SHA256" or "SHA-256" or "HMACSHA256" => OtpAlgorithm.Sha256,
        "SHA512" or "SHA-512" or "HMACSHA512" => OtpAlgorithm.Sha512,
        _ => OtpAlgorithm.Unspecified,
    };

    public override string ToString() => nameof(ForeignClaims);

    private string? TypeProblem() => Type.ToLowerInvariant() switch
    {
        "totp" => null,
        "hotp" => "codes by counter (HOTP); only codes by time come along",
        "steam" => "Steam codes; only codes by time (RFC 6238) come along",
        "motp" => "mOTP; only codes by time (RFC 6238) come along",
        "yandex" or "yaotp" => "Yandex codes; only codes by time (RFC 6238) come along",
        _ => "another kind of factor than codes by time (RFC 6238)",
    };

    private string? SecretProblem() => Secret switch
    {
        null => "secret: missing, or not Base32",
        { Length: < FewestBytes } => $"secret: fewer than {8 * FewestBytes} bits",
        { Length: > MostBytes } => $"secret: more than {MostBytes} bytes",
        _ => null,
    };

    private List<string> Notes(EmailAddress? email)
    {
        var notes = new List<string>();
        if (Secret!.Length < BytesOfRfc) notes.Add($"a short secret of {8 * Secret.Length} bits: let its owner enrol again");
        if (Email.Length > 0 && email is null) notes.Add("the address is not one that mail can go to");
        if (Note.Length > 0) notes.Add(Note);
        return notes;
    }
}
