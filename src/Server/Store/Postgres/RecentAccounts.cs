using Mfa.Server.Domain;

namespace Mfa.Server.Store.Postgres;

/// <summary>
/// Accounts as this server read or saved them last. Good for decisions, which are saved only on the state that is there, and worth
/// it only while no other server changes the same accounts: a decision on what was replaced holds up all who are saved with it. After
/// one, nothing is found here for a while.
/// </summary>
internal sealed class RecentAccounts(int mebibytes, TimeProvider clock)
{
    public static readonly TimeSpan Rest = TimeSpan.FromMinutes(1);

    private readonly AccountCache _accounts = new(mebibytes);
    private long _restEnd = long.MinValue;

    /// <returns>Null for an account that has to be read.</returns>
    public Account? Find(AccountKey key) => clock.GetTimestamp() < Volatile.Read(ref _restEnd) ? null : _accounts.Find(key);

    /// <summary>Takes in what is saved, unless it has something newer.</summary>
    public void Put(Account account) => _accounts.Put(account);

    public void Remove(AccountKey key) => _accounts.Remove(key);

    /// <summary>To be told what is saved of an account that was decided on in vain.</summary>
    public void Lost(Account saved)
    {
        // Callers of this server who race for one account find here what the first of them saved: that is no other server.
        if (_accounts.Find(saved.Key) is not { } known || known.Version == saved.Version) return;
        _accounts.Remove(saved.Key);
        Volatile.Write(ref _restEnd, clock.GetTimestamp() + (long)(Rest.TotalSeconds * clock.TimestampFrequency));
    }
}
