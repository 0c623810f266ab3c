using System.Globalization;

namespace Mfa.Server.Store;

/// <summary>
/// Where a chain of a PostgreSQL ended when its rows were moved into the one chain of a file: what the rows of the new trail say about the
/// old one. The newest checkpoint of that chain, kept elsewhere, has the same row and hash.
/// </summary>
internal sealed record MovedChain(long Chain, long Seq, byte[] Hash)
{
    private const string Begin = "store copy: chain ";

    /// <summary>How the detail of such a row begins.</summary>
    public static ReadOnlySpan<byte> Mark => "store copy: chain "u8;

    /// <summary>For the audit trail. It is read again: never change its form.</summary>
    public string Detail => string.Create(CultureInfo.InvariantCulture, $"{Begin}{Chain} ended with row {Seq}, hash {Convert.ToHexStringLower(Hash)}");

    public static MovedChain? Parse(string detail)
    {
        if (!detail.StartsWith(Begin, StringComparison.Ordinal)) return null;
        var words = detail[Begin.Length..].Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        return words is [var chain, "ended", "with", "row", var seq, "hash", { Length: 2 * AuditChain.HashBytes } hash]
            && long.TryParse(chain, NumberStyles.None, null, out var number) && long.TryParse(seq, NumberStyles.None, null, out var last)
            && hash.All(char.IsAsciiHexDigitLower)
            ? new MovedChain(number, last, Convert.FromHexString(hash))
            : null;
    }
}
