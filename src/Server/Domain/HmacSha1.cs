using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Mfa.Server.Domain;

/// <summary>
/// HMAC-SHA-1 (RFC 2104, FIPS 180-4 §6.1.2) of counters under one key: what RFC 4226 asks for, and nothing else. The base library
/// sets its HMAC up anew for every code, which is two thirds of the price of a check; here the key is taken in once for all steps
/// of a window. The tests hold it against the base library and against Otp.NET. HMAC does not rest on the collision resistance
/// that SHA-1 lost.
/// </summary>
/// <remarks>No branch and no index depends on the key. Dispose of it right after use: it wipes what it took in.</remarks>
internal ref struct HmacSha1
{
    private const int HashBytes = 20;

    private const int BlockBytes = 64;

    private State _inner;
    private State _outer;

    public HmacSha1(ReadOnlySpan<byte> key)
    {
        Span<byte> pad = stackalloc byte[BlockBytes];
        pad.Clear();
#pragma warning disable CA5350 // see above
        if (key.Length > BlockBytes) SHA1.HashData(key, pad);
#pragma warning restore CA5350
        else key.CopyTo(pad);

        foreach (ref var b in pad) b ^= 0x36;
        _inner = State.Start().After(pad);
        foreach (ref var b in pad) b ^= 0x36 ^ 0x5C;
        _outer = State.Start().After(pad);
        CryptographicOperations.ZeroMemory(pad);
    }

    /// <param name="hash">At least as long as the hash.</param>
    /// <returns>The length of the hash.</returns>
    public readonly int Hash(long counter, Span<byte> hash)
    {
        Span<byte> block = stackalloc byte[BlockBytes];
        BinaryPrimitives.WriteInt64BigEndian(block, counter);
        Close(block, sizeof(long));
        _inner.After(block).CopyTo(block);
        Close(block, HashBytes);
        _outer.After(block).CopyTo(hash);
        CryptographicOperations.ZeroMemory(block);
        return HashBytes;
    }

    public void Dispose() => (_inner, _outer) = (default, default);

    /// <summary>Pads the last block of a message whose first block was the key's (FIPS 180-4 §5.1.1).</summary>
    private static void Close(Span<byte> block, int length)
    {
        block[length..].Clear();
        block[length] = 0x80;
        BinaryPrimitives.WriteInt32BigEndian(block[^sizeof(int)..], (BlockBytes + length) * 8);
    }

    private struct State
    {
        private uint _a, _b, _c, _d, _e;

        public static State Start() => new() { _a = 0x67452301, _b = 0xEFCDAB89, _c = 0x98BADCFE, _d = 0x10325476, _e = 0xC3D2E1F0 };

        public readonly void CopyTo(Span<byte> hash)
        {
            BinaryPrimitives.WriteUInt32BigEndian(hash, _a);
            BinaryPrimitives.WriteUInt32BigEndian(hash[4..], _b);
            BinaryPrimitives.WriteUInt32BigEndian(hash[8..], _c);
            BinaryPrimitives.WriteUInt32BigEndian(hash[12..], _d);
            BinaryPrimitives.WriteUInt32BigEndian(hash[16..], _e);
        }

        /// <summary>The state after one more block.</summary>
        public readonly State After(ReadOnlySpan<byte> block)
        {
            // 1. The message schedule
            Span<uint> w = stackalloc uint[80];
            for (var t = 0; t < 16; t++) w[t] = BinaryPrimitives.ReadUInt32BigEndian(block[(t * sizeof(uint))..]);
            for (var t = 16; t < w.Length; t++) w[t] = BitOperations.RotateLeft(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);

            // 2. and 3. The working variables, through four times twenty rounds
            var s = this;
            foreach (var word in w[..20]) s.Round((s._b & s._c) ^ (~s._b & s._d), 0x5A827999 + word);
            foreach (var word in w[20..40]) s.Round(s._b ^ s._c ^ s._d, 0x6ED9EBA1 + word);
            foreach (var word in w[40..60]) s.Round((s._b & s._c) ^ (s._b & s._d) ^ (s._c & s._d), 0x8F1BBCDC + word);
            foreach (var word in w[60..]) s.Round(s._b ^ s._c ^ s._d, 0xCA62C1D6 + word);
            w.Clear();

            // 4. The next hash value
            return new() { _a = _a + s._a, _b = _b + s._b, _c = _c + s._c, _d = _d + s._d, _e = _e + s._e };
        }

        private void Round(uint f, uint constantAndWord) =>
            (_a, _b, _c, _d, _e) = (BitOperations.RotateLeft(_a, 5) + f + _e + constantAndWord, _a, BitOperations.RotateLeft(_b, 30), _c, _d);
    }
}
