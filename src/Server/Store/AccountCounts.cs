using Mfa.Server.Domain;
using Mfa.Server.Observability;
using System.Diagnostics.Metrics;

namespace Mfa.Server.Store;

/// <summary>How many accounts there are in each state, and how many of those in force are short of recovery codes.</summary>
internal readonly record struct AccountCount(long Enabled, long Pending, long Disabled, long Blocked, long FewRecoveryCodes)
{
    /// <summary>From here on the owner is asked to make a new set of recovery codes.</summary>
    public const int Few = 2;

    public static AccountCount operator +(AccountCount a, AccountCount b) => new(
        a.Enabled + b.Enabled, a.Pending + b.Pending, a.Disabled + b.Disabled, a.Blocked + b.Blocked, a.FewRecoveryCodes + b.FewRecoveryCodes);
}

/// <summary>
/// Counts accounts now and then, a page at a time, with a rest after each as long as it took: a table of millions is read through in
/// the background, on half a core at most, and no read lasts so long that the write-ahead log could not be taken in.
/// </summary>
internal sealed class AccountCounts(IStore store, GuessPolicies policies, TelemetryOptions options, Meters meters, TimeProvider clock, ILogger<AccountCounts> log)
    : BackgroundService
{
    private const int Page = 5_000;

    /// <summary>A server that has just started has better things to do.</summary>
    private static readonly TimeSpan FirstAfter = TimeSpan.FromMinutes(1);

    private AccountCount? _last;

    public async Task<AccountCount> CountAsync(CancellationToken ct)
    {
        var total = default(AccountCount);
        for (AccountKey? from = new AccountKey("", ""); from is { } after;)
        {
            var began = clock.GetTimestamp();
            (var page, from) = store.Read(session => CountPage(session, after, clock.GetUtcNow()));
            total += page;
            await Task.Delay(clock.GetElapsedTime(began), clock, ct);
        }

        return total;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        meters.Gauge("mfa.accounts", "{account}", "Accounts by state, as last counted.", () => _last is { } count
            ? [Of(count.Enabled, "enabled"), Of(count.Pending, "pending"), Of(count.Disabled, "disabled"), Of(count.Blocked, "blocked")] : []);
        meters.Gauge("mfa.accounts.few_recovery_codes", "{account}", "Accounts that are enabled with two unused recovery codes or less, as last counted.",
            () => _last is { } count ? [new Measurement<long>(count.FewRecoveryCodes)] : []);
        await Task.Delay(options.CountEvery < FirstAfter ? options.CountEvery : FirstAfter, clock, stoppingToken);
        using var timer = new PeriodicTimer(options.CountEvery, clock);
        do
        {
            try
            {
                _last = await CountAsync(stoppingToken);
            }
            catch (StoreUnavailableException why)
            {
                log.NotCounted(why);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static Measurement<long> Of(long count, string state) => new(count, KeyValuePair.Create<string, object?>("state", state));

    /// <returns>Also where the next page begins; null after the last.</returns>
    private (AccountCount Count, AccountKey? Next) CountPage(Session session, AccountKey after, DateTimeOffset now)
    {
        var command = session.Command("""
            SELECT tenant, account, f_id IS NOT NULL, factor_failures, p_expire_time, f_recovery_used FROM accounts
            WHERE (tenant, account) > (@tenant, @account) ORDER BY tenant, account LIMIT @page
            """);
        command.Bind("@tenant", after.Tenant);
        command.Bind("@account", after.Account);
        command.Bind("@page", Page);
        using var row = command.ExecuteReader();
        var count = default(AccountCount);
        var rows = 0;
        for (; row.Read(); rows++)
        {
            if (rows == Page - 1) after = new AccountKey(row.GetString(0), row.GetString(1));
            var inForce = row.GetBoolean(2);
            var pending = !row.IsDBNull(4) && row.GetInt64(4) > now.ToUnixTimeMilliseconds();
            if (!inForce) count += pending ? new AccountCount { Pending = 1 } : new AccountCount { Disabled = 1 };
            else if (row.GetInt64(3) >= policies.Factor.Cap) count += new AccountCount { Blocked = 1 };
            else count += new AccountCount { Enabled = 1, FewRecoveryCodes = 8 - byte.PopCount((byte)row.GetInt64(5)) <= AccountCount.Few ? 1 : 0 };
        }

        return (count, rows == Page ? after : null);
    }
}
