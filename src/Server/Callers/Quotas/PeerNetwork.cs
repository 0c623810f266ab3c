using System.Buffers.Binary;
using System.Net;

namespace Mfa.Server.Callers.Quotas;

/// <summary>
/// Whom to hold to account for calls that name nobody: an IPv4 address, or the /64 that one subscriber of IPv6 gets and can
/// take any address of.
/// </summary>
/// <param name="Prefix">The address, or the upper half of it.</param>
internal readonly record struct PeerNetwork(bool IsV6, ulong Prefix)
{
    public static PeerNetwork Of(IPAddress? address)
    {
        if (address is null) return default;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return length == 4
            ? new PeerNetwork(IsV6: false, BinaryPrimitives.ReadUInt32BigEndian(bytes))
            : new PeerNetwork(IsV6: true, BinaryPrimitives.ReadUInt64BigEndian(bytes));
    }

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!IsV6)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)Prefix);
            return new IPAddress(bytes[..4]).ToString();
        }

        BinaryPrimitives.WriteUInt64BigEndian(bytes, Prefix);
        return $"{new IPAddress(bytes)}/64";
    }
}
