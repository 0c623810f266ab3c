using System.Security.Cryptography;
using Mfa.Server.Protection;

namespace Mfa.Server.Tests.Protection;

internal static class Rings
{
    public static KeyRing New()
    {
        var id = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4));
        return new KeyRing(id, new Dictionary<uint, byte[]> { [id] = RandomNumberGenerator.GetBytes(KeyRing.KeyBytes) });
    }
}
