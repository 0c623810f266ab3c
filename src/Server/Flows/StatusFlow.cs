using Mfa.Server.Domain;
using Mfa.Server.Store;

namespace Mfa.Server.Flows;

internal enum AccountState
{
    Unspecified = 0,
    Disabled,
    Pending,
    Enabled,
    Blocked,
}

/// <param name="Destination">Masked; empty when nothing is on record.</param>
/// <param name="RecoveryCodesStale">They came out of a backup, and their owner should make new ones.</param>
/// <param name="Delivery">How far the last sent code has got; null when none was sent lately.</param>
internal sealed record StatusAnswer(
    AccountState State,
    Method Method,
    DateTimeOffset? EnableTime,
    DateTimeOffset? DisableTime,
    string Destination,
    int RecoveryCodesRemaining,
    bool RecoveryCodesStale,
    DateTimeOffset? LockedUntil,
    Enrollment? Pending,
    DateTimeOffset? PendingExpireTime,
    DeliveryStatus? Delivery);

/// <summary>GetStatus: what is switched on, without a secret.</summary>
internal sealed class StatusFlow(IStore store, Destinations destinations, GuessPolicies guesses, TimeProvider clock)
{
    public async Task<StatusAnswer> RunAsync(AccountKey key)
    {
        var now = clock.Read();
        var account = await store.FindAsync(key);
        var pending = account.PendingAt(now);
        var factor = account.InForce;
        return new StatusAnswer(
            StateOf(account, pending),
            factor?.Method ?? Method.Unspecified,
            factor is null ? null : account.EnableTime,
            account.DisableTime,
            destinations.Masked(key, factor ?? pending),
            factor?.Recovery.Remaining ?? 0,
            factor?.Recovery.Stale ?? false,
            account.FactorGuesses.IsLocked(now) ? account.FactorGuesses.LockedUntil : null,
            pending,
            pending is null ? null : account.PendingExpireTime,
            (factor ?? pending)?.OpenCode is { } code ? await store.FindDeliveryAsync(key, code.Id) : null);
    }

    private AccountState StateOf(Account account, Enrollment? pending) =>
        account.InForce is null ? (pending is null ? AccountState.Disabled : AccountState.Pending)
        : account.FactorGuesses.IsBlocked(guesses.Factor) ? AccountState.Blocked
        : AccountState.Enabled;
}
