using System.Security.Cryptography;
using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Tests.Protection;

public sealed class SealerTests
{
    private static readonly AccountKey Alice = new("default", "alice");
    private static readonly Guid Id = Guid.NewGuid();
    private static readonly TotpParameters Usual = new(OtpAlgorithm.Sha1, 6, 30);
    private static readonly byte[] Binding = Sealer.SecretBinding(Alice, Id, Method.Authenticator, Usual);
    private readonly Sealer _sealer = new(Rings.New());

    [Fact]
    public void What_was_sealed_opens_where_it_belongs() =>
        Assert.Equal("secret"u8.ToArray(), _sealer.Open(_sealer.Seal("secret"u8, Binding), Binding));

    /// <summary>Sealed by the first version, under a key of 32 bytes 7 with the id 1.</summary>
    [Fact]
    public void A_value_of_the_first_format_still_opens()
    {
        var ring = new KeyRing(1, new Dictionary<uint, byte[]> { [1] = [.. Enumerable.Repeat((byte)7, KeyRing.KeyBytes)] });
        var old = new SealedBytes(Convert.FromHexString("0100000001000102030405060708090A0B0C0D0E0F79E78F99DEAAC046DE3898FDC6C519E4AB4DF68D3C29"));

        Assert.Equal("secret"u8.ToArray(), new Sealer(ring).Open(old, Sealer.EmailBinding(Alice)));
    }

    /// <summary>Every field of the binding counts, and none can borrow characters from its neighbour.</summary>
    [Fact]
    public void What_was_moved_anywhere_else_does_not_open()
    {
        var value = _sealer.Seal("secret"u8, Binding);
        byte[][] elsewhere =
        [
            Sealer.SecretBinding(Alice with { Account = "bob" }, Id, Method.Authenticator, Usual),
            Sealer.SecretBinding(Alice with { Tenant = "other" }, Id, Method.Authenticator, Usual),
            Sealer.SecretBinding(new AccountKey("defaultal", "ice"), Id, Method.Authenticator, Usual),
            Sealer.SecretBinding(Alice, Guid.NewGuid(), Method.Authenticator, Usual),
            Sealer.SecretBinding(Alice, Id, Method.Email, Usual),
            Sealer.SecretBinding(Alice, Id, Method.Authenticator, Usual with { Algorithm = OtpAlgorithm.Sha256 }),
            Sealer.SecretBinding(Alice, Id, Method.Authenticator, Usual with { Digits = 8 }),
            Sealer.SecretBinding(Alice, Id, Method.Authenticator, Usual with { PeriodSeconds = 60 }),
            Sealer.EmailBinding(Alice),
        ];

        Assert.All(elsewhere, binding => Assert.ThrowsAny<CryptographicException>(() => _sealer.Open(value, binding)));
    }

    [Fact]
    public void No_byte_can_be_changed_and_none_cut_off()
    {
        var value = _sealer.Seal("secret"u8, Binding);

        for (var i = 0; i < value.Bytes.Length; i++)
        {
            var changed = value.Bytes.ToArray();
            changed[i] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => _sealer.Open(new SealedBytes(changed), Binding));
            Assert.ThrowsAny<CryptographicException>(() => _sealer.Open(new SealedBytes(value.Bytes[..i]), Binding));
        }
    }

    [Fact]
    public void Another_ring_opens_nothing() =>
        Assert.ThrowsAny<CryptographicException>(() => new Sealer(Rings.New()).Open(_sealer.Seal("secret"u8, Binding), Binding));

    /// <summary>Key and nonce follow from the salt, so a salt that comes twice is a nonce that comes twice.</summary>
    [Fact]
    public void A_million_seals_share_no_salt()
    {
        var salts = new HashSet<UInt128>();

        for (var i = 0; i < 1_000_000; i++)
            Assert.True(salts.Add(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(_sealer.Seal("x"u8, Binding).Bytes.AsSpan(5))));
    }

    [Fact]
    public void The_self_test_passes_on_a_working_cipher() => _sealer.SelfTest();

    [Fact]
    public void An_opened_secret_is_wiped_after_use()
    {
        var key = new byte[] { 1, 2, 3 };
        new OpenSecret(key).Dispose();

        Assert.Equal(new byte[3], key);
    }

    [Fact]
    public void Nothing_secret_prints_itself()
    {
        using var secret = OpenSecret.New(20);

        Assert.Equal("OpenSecret", secret.ToString());
        Assert.Equal("SealedBytes", _sealer.Seal("x"u8, Binding).ToString());
        Assert.Equal("PasswordHash", new PasswordHash(1, 1, [], []).ToString());
    }
}
