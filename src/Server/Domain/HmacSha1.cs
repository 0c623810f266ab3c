using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace Mfa.Server.Domain;

/// <summary>
/// HMAC-SHA-1 (RFC 2104, FIPS 180-4 §6.1.2) of counters under one key: what RFC 4226 asks for, and nothing else. The base library
/// sets its HMAC up anew for every code, which is two thirds of the price of a check; here the key is taken in once for all steps
/// of a window, and four steps are hashed at the price of one, each in a lane of its own of the same vectors. The tests hold it against
/// the base library and against Otp.NET. HMAC does not rest on the collision resistance that SHA-1 lost.
/// </summary>
/// <remarks>No branch and no index depends on the key. Dispose of it right after use: it wipes what it took in.</remarks>
internal ref struct HmacSha1
{
    /// <summary>How many counters are hashed at once.</summary>
    public const int Lanes = 4;

    /// <summary>The length of a hash.</summary>
    public const int HashBytes = 20;

    private const int BlockWords = 16;
    private const int BlockBytes = BlockWords * sizeof(uint);

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

        Span<Vector128<uint>> block = stackalloc Vector128<uint>[BlockWords];
        for (var t = 0; t < BlockWords; t++)
        {
            var word = BinaryPrimitives.ReadUInt32BigEndian(pad[(t * sizeof(uint))..]);
            block[t] = Vector128.Create(word ^ 0x36363636, word ^ 0x5C5C5C5C, 0, 0);
        }

        var state = State.Start().After(block);
        (_inner, _outer) = (state.OfLane(0), state.OfLane(1));
        block.Clear();
        CryptographicOperations.ZeroMemory(pad);
    }

    /// <param name="first">The first of as many counters as there are lanes.</param>
    /// <param name="hashes">Their hashes, one after the other.</param>
    public readonly void Hash(long first, Span<byte> hashes)
    {
        Span<Vector128<uint>> block = stackalloc Vector128<uint>[BlockWords];
        block[0] = Vector128.Create((uint)(first >> 32), (uint)((first + 1) >> 32), (uint)((first + 2) >> 32), (uint)((first + 3) >> 32));
        block[1] = Vector128.Create((uint)first, (uint)(first + 1), (uint)(first + 2), (uint)(first + 3));
        Close(block, sizeof(long));
        _inner.After(block).CopyTo(block);
        Close(block, HashBytes);
        _outer.After(block).CopyTo(block);
        for (var lane = 0; lane < Lanes; lane++)
        {
            for (var t = 0; t < HashBytes / sizeof(uint); t++)
                BinaryPrimitives.WriteUInt32BigEndian(hashes[(lane * HashBytes + t * sizeof(uint))..], block[t][lane]);
        }

        block.Clear();
    }

    public void Dispose() => (_inner, _outer) = (default, default);

    /// <summary>Pads the last block of a message whose first block was the key's (FIPS 180-4 §5.1.1).</summary>
    private static void Close(Span<Vector128<uint>> block, int length)
    {
        block[(length / sizeof(uint))..].Clear();
        block[length / sizeof(uint)] = Vector128.Create(0x80000000);
        block[^1] = Vector128.Create((uint)(BlockBytes + length) * 8);
    }

    private struct State
    {
        private Vector128<uint> _a, _b, _c, _d, _e;

        public static State Start() => new()
        {
            _a = Vector128.Create(0x67452301u),
            _b = Vector128.Create(0xEFCDAB89u),
            _c = Vector128.Create(0x98BADCFEu),
            _d = Vector128.Create(0x10325476u),
            _e = Vector128.Create(0xC3D2E1F0u),
        };

        /// <summary>The state of one lane, in all of them.</summary>
        public readonly State OfLane(int lane) => new()
        {
            _a = Vector128.Create(_a[lane]),
            _b = Vector128.Create(_b[lane]),
            _c = Vector128.Create(_c[lane]),
            _d = Vector128.Create(_d[lane]),
            _e = Vector128.Create(_e[lane]),
        };

        public readonly void CopyTo(Span<Vector128<uint>> words) => (words[0], words[1], words[2], words[3], words[4]) = (_a, _b, _c, _d, _e);

        /// <summary>The state after one more block.</summary>
        public readonly State After(ReadOnlySpan<Vector128<uint>> block)
        {
            // 1. The message schedule
            Span<Vector128<uint>> w = stackalloc Vector128<uint>[80];
            block.CopyTo(w);
            for (var t = BlockWords; t < w.Length; t++) w[t] = RotateLeft(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);

            // 2. and 3. The working variables, through four times twenty rounds of Ch, Parity, Maj and Parity (§4.1.1)
            var (a, b, c, d, e) = (_a, _b, _c, _d, _e);
            foreach (var word in w[..20]) (a, b, c, d, e) = (Sum(a, Vector128.ConditionalSelect(b, c, d), e, 0x5A827999, word), a, RotateLeft(b, 30), c, d);
            foreach (var word in w[20..40]) (a, b, c, d, e) = (Sum(a, b ^ c ^ d, e, 0x6ED9EBA1, word), a, RotateLeft(b, 30), c, d);
            foreach (var word in w[40..60]) (a, b, c, d, e) = (Sum(a, (b & c) ^ (b & d) ^ (c & d), e, 0x8F1BBCDC, word), a, RotateLeft(b, 30), c, d);
            foreach (var word in w[60..]) (a, b, c, d, e) = (Sum(a, b ^ c ^ d, e, 0xCA62C1D6, word), a, RotateLeft(b, 30), c, d);
            w.Clear();

            // 4. The next hash value
            return new() { _a = _a + a, _b = _b + b, _c = _c + c, _d = _d + d, _e = _e + e };
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector128<uint> Sum(Vector128<uint> a, Vector128<uint> f, Vector128<uint> e, uint constant, Vector128<uint> word) =>
            RotateLeft(a, 5) + f + e + Vector128.Create(constant) + word;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector128<uint> RotateLeft(Vector128<uint> words, int bits) => (words << bits) | (words >>> (32 - bits));
    }
}
