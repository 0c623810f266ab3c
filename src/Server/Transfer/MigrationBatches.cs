using System.Text;

namespace Mfa.Server.Transfer;

/// <summary>
/// What Google Authenticator shows as QR codes when accounts are moved to another phone: otpauth-migration://offline?data=… with
/// a protobuf message in Base64. One export is several codes; which of them are missing is told.
/// </summary>
internal sealed class MigrationBatches
{
    private const string Start = "otpauth-migration://offline?data=";

    private readonly Dictionary<long, (long Size, HashSet<long> Seen)> _batches = [];

    public static bool IsOne(string line) => line.StartsWith(Start, StringComparison.OrdinalIgnoreCase);

    public IEnumerable<ForeignRow> Read(BoundedLine line)
    {
        // Never with plus signs read as blanks: they are digits of Base64.
        var text = Uri.UnescapeDataString(line.Text[Start.Length..].Split('&', 2)[0]).Replace('-', '+').Replace('_', '/');
        var bytes = new byte[text.Length];
        if (Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), bytes, out var length) && length > 0
            && Entries(bytes.AsMemory(0, length)) is { } entries)
        {
            for (var i = 0; i < entries.Count; i++) yield return RowOf($"{line.Place}, entry {i + 1}", entries[i]);
        }
        else
        {
            yield return ForeignRow.Broken(line.Place, "not a whole batch of Google Authenticator");
        }
    }

    /// <summary>Once all lines were read: a row for each code of an export that was not among them.</summary>
    public IEnumerable<ForeignRow> Missing()
    {
        foreach (var (size, seen) in _batches.Values)
        {
            for (var i = 0L; i < size; i++)
            {
                if (!seen.Contains(i)) yield return ForeignRow.Broken("end of file", $"QR code {i + 1} of {size} of one export is missing");
            }
        }
    }

    /// <returns>The accounts of the message; null when it is none.</returns>
    private List<WireFields>? Entries(ReadOnlyMemory<byte> message)
    {
        if (WireFields.Of(message) is not { } payload) return null;
        var entries = new List<WireFields>();
        foreach (var bytes in payload.Messages(1))
        {
            if (WireFields.Of(bytes) is not { } entry) return null;
            entries.Add(entry);
        }

        var (size, index) = (Math.Clamp(payload.Number(3), 1, 100), payload.Number(4));
        if (!_batches.TryGetValue(payload.Number(5), out var batch)) _batches.Add(payload.Number(5), batch = (size, []));
        batch.Seen.Add(index);
        return entries;
    }

    private static ForeignRow RowOf(string place, WireFields entry)
    {
        var (issuer, account) = OtpauthLines.LabelOf(entry.Text(2));
        return new ForeignClaims(place)
        {
            Account = account,
            Issuer = entry.Text(3) is { Length: > 0 } named ? named : issuer,
            Secret = entry.Bytes(1) is { Length: > 0 } secret ? secret : null,
            Algorithm = entry.Number(4) switch { 0 or 1 => "SHA1", 2 => "SHA256", 3 => "SHA512", _ => "MD5" },
            Digits = entry.Number(5) switch { 0 or 1 => 6, 2 => 8, _ => null },
            Type = entry.Number(6) switch { 0 or 2 => "totp", 1 => "hotp", _ => "" },
        }.Judge();
    }

    /// <summary>The fields of one protobuf message: numbers and bytes, the two forms that these messages have.</summary>
    private sealed class WireFields
    {
        private readonly Dictionary<int, long> _numbers = [];
        private readonly List<(int Field, ReadOnlyMemory<byte> Bytes)> _bytes = [];

        /// <returns>Null when the bytes are no such message.</returns>
        public static WireFields? Of(ReadOnlyMemory<byte> message)
        {
            var fields = new WireFields();
            var at = 0;
            while (at < message.Length)
            {
                if (Varint(message.Span, ref at) is not { } tag || tag >> 3 is <= 0 or > 1000) return null;
                if (Varint(message.Span, ref at) is not { } value) return null;
                var field = (int)(tag >> 3);
                switch (tag & 7)
                {
                    case 0:
                        fields._numbers[field] = value;
                        break;
                    case 2 when value >= 0 && value <= message.Length - at:
                        fields._bytes.Add((field, message.Slice(at, (int)value)));
                        at += (int)value;
                        break;
                    default:
                        return null;
                }
            }

            return fields;
        }

        public long Number(int field) => _numbers.GetValueOrDefault(field);

        public byte[]? Bytes(int field) => Messages(field).Select(bytes => bytes.ToArray()).LastOrDefault();

        public string Text(int field) => Bytes(field) is { } bytes ? Encoding.UTF8.GetString(bytes) : "";

        public IEnumerable<ReadOnlyMemory<byte>> Messages(int field) => _bytes.Where(f => f.Field == field).Select(f => f.Bytes);

        private static long? Varint(ReadOnlySpan<byte> bytes, ref int at)
        {
            var value = 0UL;
            for (var shift = 0; shift < 64 && at < bytes.Length; shift += 7)
            {
                var next = bytes[at++];
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80) return (long)value;
            }

            return null;
        }
    }
}
