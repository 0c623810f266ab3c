using System.Security.Cryptography;
using Mfa.Server.Protection;

namespace Mfa.Server.Tests.Protection;

internal static class Rings
{
    public static KeyRing New()
    {
        var (id, key) = NewKey();
        return new KeyRing(id, new Dictionary<uint, byte[]> { [id] = key });
    }

    /// <summary>A ring while it is rotated, with a new key in front, and the same afterwards, with that key alone.</summary>
    public static (KeyRing Both, KeyRing Fresh) After(byte[] oldKey, uint oldId)
    {
        var (id, key) = NewKey();
        return (new KeyRing(id, new Dictionary<uint, byte[]> { [oldId] = oldKey, [id] = key }), new KeyRing(id, new Dictionary<uint, byte[]> { [id] = key }));
    }

    public static (uint Id, byte[] Key) NewKey() =>
        (BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4)), RandomNumberGenerator.GetBytes(KeyRing.KeyBytes));
}
