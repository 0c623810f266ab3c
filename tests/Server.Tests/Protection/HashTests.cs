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
        var stored = hasher.New("jane", "correct horse", PasswordHasher.MinRounds);

        Assert.True(hasher.Matches("jane", "correct horse", stored));
        Assert.False(hasher.Matches("jane", "correct horsf", stored));
        Assert.False(hasher.Matches("jane", "", stored));
        Assert.False(hasher.Matches("jane", "correct horse\0", stored));
        Assert.False(hasher.Matches("jack", "correct horse", stored)); // whoever can write copies their own row to another's
        Assert.Equal(PasswordHasher.MinRounds, stored.Rounds);
        Assert.NotEqual(stored.Hash, hasher.New("jane", "correct horse", PasswordHasher.MinRounds).Hash);
        Assert.Throws<CryptographicException>(() => new PasswordHasher(Rings.New()).Matches("jane", "correct horse", stored));
    }

    [Fact]
    public void Hashes_that_were_carried_over_match_as_before_without_the_key_they_were_made_with()
    {
        var (oldId, oldKey) = Rings.NewKey();
        var old = new KeyRing(oldId, new Dictionary<uint, byte[]> { [oldId] = oldKey });
        var codes = RecoveryCode.NewSet();
        var digits = OtpCode.NewToSend();
        var enrollment = new Enrollment(Guid.NewGuid(), Method.Email, new TotpParameters(OtpAlgorithm.Sha1, 6, 30), Secret: null, LastStep: 0,
            new RecoveryHashes(old).NewSet(Alice, codes), Email: null);
        var sent = new SentCodeHashes(old).New(Alice, enrollment.Id, digits, DateTimeOffset.MaxValue);
        var password = new PasswordHasher(old).New("jane", "correct horse", PasswordHasher.MinRounds);
        var (both, fresh) = Rings.After(oldKey, oldId);

        var set = new RecoveryHashes(both).CarryOver(Alice, enrollment.Recovery);
        var open = enrollment with { OpenCode = new SentCodeHashes(both).CarryOver(Alice, enrollment.Id, sent) };
        var stored = new PasswordHasher(both).CarryOver("jane", password);

        Assert.Equal(5, new RecoveryHashes(fresh).Compare(Alice, set, codes[5]).Position);
        Assert.Null(new RecoveryHashes(fresh).Compare(Alice, set, RecoveryCode.NewSet()[0]).Position);
        Assert.True(new SentCodeHashes(fresh).Compare(Alice, open, digits).Matches);
        Assert.True(new PasswordHasher(fresh).Matches("jane", "correct horse", stored));
        Assert.False(new PasswordHasher(fresh).Matches("jane", "correct horsf", stored));
        Assert.ThrowsAny<CryptographicException>(() => new PasswordHasher(fresh).Matches("jack", "correct horse", stored));
        Assert.Throws<CryptographicException>(() => new RecoveryHashes(old).Compare(Alice, set, codes[5]));
        Assert.Throws<CryptographicException>(() => new PasswordHasher(old).Matches("jane", "correct horse", stored));
        Assert.ThrowsAny<CryptographicException>(() => new RecoveryHashes(fresh).Compare(Alice with { Account = "bob" }, set, codes[5]));
        Assert.Same(set, new RecoveryHashes(fresh).CarryOver(Alice, set));
    }

    [Fact]
    public void Sub_keys_of_two_purposes_differ()
    {
        var ring = Rings.New();
        var keys = Enum.GetValues<KeyPurpose>().Select(purpose => Convert.ToHexString(ring.SubKey(ring.ActiveId, purpose))).ToList();

        Assert.Equal(keys.Count, keys.Distinct().Count());
    }
}
