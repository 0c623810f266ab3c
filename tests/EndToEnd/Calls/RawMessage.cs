using Google.Protobuf;

namespace Mfa.EndToEnd.Calls;

/// <summary>Requests as bytes, for what no generated message writes. Field numbers are those of the contract.</summary>
internal static class RawMessage
{
    /// <summary>A length-delimited field of any bytes, also such as are no UTF-8.</summary>
    public static byte[] Field(int number, byte[] value) => Write(output =>
    {
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(value));
    });

    public static byte[] Number(int number, ulong value) => Write(output =>
    {
        output.WriteTag(number, WireFormat.WireType.Varint);
        output.WriteUInt64(value);
    });

    /// <summary>The request with one of its text fields overwritten: of a field that comes twice, the last one counts.</summary>
    public static byte[] With(this IMessage request, int field, byte[] value) => [.. request.ToByteArray(), .. Field(field, value)];

    public static byte[] With(this IMessage request, int field, ulong value) => [.. request.ToByteArray(), .. Number(field, value)];

    public static int Numbered(this IMessage request, string field) => request.Descriptor.FindFieldByName(field).FieldNumber;

    private static byte[] Write(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true)) write(output);
        return bytes.ToArray();
    }
}
