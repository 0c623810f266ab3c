using Mfa.Server.Domain;

namespace Mfa.Server.Tests.Domain;

public sealed class AuditEntryTests
{
    private static readonly AuditEntry Entry = new(DateTimeOffset.UnixEpoch, AuditAct.Verify, new AuditCaller("service:a"), new AccountKey("t", "a"));

    [Fact]
    public void The_digest_is_that_of_the_account_also_after_it_was_taken_out()
    {
        var other = new AccountKey("t", "b");

        Assert.Equal(Entry.Account.Digest(), Entry.AccountDigest);
        Assert.Equal(other.Digest(), (Entry with { Account = other }).AccountDigest);
        Assert.Equal(0, (Entry with { Account = new AccountKey("", "") }).AccountDigest);
        Assert.Equal(Entry.AccountDigest, Entry.Done(ProvenBy.Email).AccountDigest);
    }
}
