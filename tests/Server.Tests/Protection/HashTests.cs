using System.Security.Cryptography;
using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Tests.Protection;

public sealed class HashTests
{
    private static readonly AccountKey Alice = new("default", "alice");

    [Fact]
    public void Each_recovery_code_is_found_at_its_place_and_a_strange_one_nowhere()
    {
        var hashes = new RecoveryHashes(Rings.New());
        var codes = RecoveryCode.NewSet();
        var set = hashes.NewSet(Alice, codes);

        for (var i = 0; i < codes.Length; i++) Assert.Equal(i, hashes.Compare(Alice, set, codes[i]).Position);
        Assert.Null(hashes.Compare(Alice, set, RecoveryCode.NewSet()[0]).Position);
    }

    [Fact]
    public void A_set_copied_to_another_account_or_opened_with_another_ring_matches_nothing()
    {
        var ring = Rings.New();
        var hashes = new RecoveryHashes(ring);
        var codes = RecoveryCode.NewSet();
        var set = hashes.NewSet(Alice, codes);
        var sameId = new RecoveryHashes(new KeyRing(ring.ActiveId, new Dictionary<uint, byte[]> { [ring.ActiveId] = RandomNumberGenerator.GetBytes(32) }));

        Assert.Null(hashes.Compare(Alice with { Account = "bob" }, set, codes[0]).Position);
        Assert.Null(hashes.Compare(Alice with { Tenant = "other" }, set, codes[0]).Position);
        Assert.Null(hashes.Compare(Alice, set with { Id = Guid.NewGuid() }, codes[0]).Position);
        Assert.Null(sameId.Compare(Alice, set, codes[0]).Position);
        Assert.Throws<CryptographicException>(() => new RecoveryHashes(Rings.New()).Compare(Alice, set, codes[0]));
    }

    [Fact]
    public void A_password_matches_itself_alone_and_only_with_its_ring()
    {
        var hasher = new PasswordHasher(Rings.New());
        var stored = hasher.New("correct horse", PasswordHasher.MinRounds);

        Assert.True(hasher.Matches("correct horse", stored));
        Assert.False(hasher.Matches("correct horsf", stored));
        Assert.False(hasher.Matches("", stored));
        Assert.False(hasher.Matches("correct horse\0", stored));
        Assert.Equal(PasswordHasher.MinRounds, stored.Rounds);
        Assert.NotEqual(stored.Hash, hasher.New("correct horse", PasswordHasher.MinRounds).Hash);
        Assert.Throws<CryptographicException>(() => new PasswordHasher(Rings.New()).Matches("correct horse", stored));
    }

    [Fact]
    public void Sub_keys_of_two_purposes_differ()
    {
        var ring = Rings.New();
        var keys = Enum.GetValues<KeyPurpose>().Select(purpose => Convert.ToHexString(ring.SubKey(ring.ActiveId, purpose))).ToList();

        Assert.Equal(keys.Count, keys.Distinct().Count());
    }
}
