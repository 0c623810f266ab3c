using System.Buffers.Binary;
using System.Security.Cryptography;
using CsCheck;
using Mfa.Server.Domain;

namespace Mfa.Server.Tests.Domain;

/// <summary>Our own HMAC-SHA-1 against the one of the base library. RfcVectorTests and OtpNetTests look at the codes made with it.</summary>
public sealed class HmacSha1Tests
{
    [Fact]
    public void It_is_the_hmac_of_the_base_library_for_every_key_and_counter() =>
        Gen.Select(Gen.Byte.Array[0, 200], Gen.Long.Array[1, 5]).Sample((key, counters) =>
        {
            using var hmac = new HmacSha1(key);
            var (message, hashes) = (new byte[8], new byte[HmacSha1.Lanes * HmacSha1.HashBytes]);
            foreach (var first in counters)
            {
                hmac.Hash(first, hashes);

                for (var lane = 0; lane < HmacSha1.Lanes; lane++)
                {
                    BinaryPrimitives.WriteInt64BigEndian(message, unchecked(first + lane));
#pragma warning disable CA5350 // what RFC 6238 is made of
                    Assert.Equal(HMACSHA1.HashData(key, message), hashes.AsSpan(lane * HmacSha1.HashBytes, HmacSha1.HashBytes).ToArray());
#pragma warning restore CA5350
                }
            }
        });
}
