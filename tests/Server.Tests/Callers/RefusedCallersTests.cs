using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.Server.Store;
using Mfa.Server.Tests.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mfa.Server.Tests.Callers;

public sealed class RefusedCallersTests : IDisposable
{
    private readonly AuditTrailFile _trail = new();
    private readonly RefusedCallers _refused;

    public RefusedCallersTests() => _refused = new RefusedCallers(
        _trail.Store, new AuditOptions { RefusedRowsPerSecond = 2 }, _trail.Clock, NullLogger<RefusedCallers>.Instance);

    public void Dispose()
    {
        _refused.Dispose();
        _trail.Dispose();
    }

    [Fact]
    public async Task Each_address_and_reason_has_rows_of_its_own_and_the_rest_is_counted_with_it()
    {
        for (var i = 0; i < 5; i++) await RecordAsync("192.0.2.1");
        await RecordAsync("192.0.2.2");
        await RecordAsync("192.0.2.1", AuditReason.CallerLimit);
        await _refused.FlushAsync();

        var expected = new[] { ("192.0.2.1", 1), ("192.0.2.1", 1), ("192.0.2.2", 1), ("192.0.2.1", 1), ("192.0.2.1", 3) };
        Assert.Equal(expected, Rows());
    }

    [Fact]
    public async Task The_next_second_begins_with_rows_again()
    {
        for (var i = 0; i < 3; i++) await RecordAsync("192.0.2.1");
        await _refused.FlushAsync();
        for (var i = 0; i < 2; i++) await RecordAsync("192.0.2.1");
        await _refused.FlushAsync();

        Assert.Equal(Enumerable.Repeat(("192.0.2.1", 1), 5), Rows());
    }

    [Fact]
    public async Task A_thousand_addresses_fill_the_trail_no_faster_than_ten()
    {
        for (var i = 0; i < 1_000; i++) await RecordAsync($"2001:db8::{i:x}");
        await _refused.FlushAsync();

        Assert.Equal(Enumerable.Range(0, 20).Select(i => ($"2001:db8::{i:x}", 1)).Append(("*", 980)), Rows());
    }

    [Fact]
    public async Task A_store_that_is_gone_makes_a_refusal_no_less_of_one()
    {
        _trail.Store.Dispose();

        Assert.Null(await Record.ExceptionAsync(() => RecordAsync("192.0.2.1")));
    }

    private Task RecordAsync(string peer, AuditReason reason = AuditReason.Unauthenticated) =>
        _refused.RecordAsync(AuditAct.Verify, new AuditCaller("", peer), tenant: "", reason);

    private List<(string, int)> Rows()
    {
        var rows = _trail.Find(new AuditFilter());
        rows.Reverse();
        return rows.ConvertAll(row => (row.Peer, row.Calls));
    }
}
