using System.Security.Cryptography;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Tests.Store;

public sealed class AuditTrailTests : IDisposable
{
    private readonly AuditTrailFile _trail = new();

    public void Dispose() => _trail.Dispose();

    [Fact]
    public async Task A_row_comes_back_as_it_was_written()
    {
        var entry = _trail.Entry() with { Reason = AuditReason.Used, Outcome = AuditOutcome.Rejected, Calls = 318 };
        await _trail.Store.AuditAsync(entry);

        var row = Assert.Single(_trail.Find(new AuditFilter()));

        Assert.Equal(
            new AuditRow(1, entry.Time, entry.Act, entry.Outcome, entry.Reason, entry.Factor, 318, "default", "alice", "service:shop", "192.0.2.7",
                entry.Reference, "a detail"),
            row);
        Assert.Empty(_trail.Verify().Damage);
    }

    [Fact]
    public async Task A_row_is_written_with_what_it_tells_about_or_not_at_all()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => _trail.Store.WriteAsync<bool>(session =>
        {
            session.Audit(_trail.Entry());
            throw new InvalidOperationException("The work fails after its row.");
        }));
        await _trail.AppendAsync(1);

        Assert.Equal(1, Assert.Single(_trail.Find(new AuditFilter())).Seq); // no gap either
        Assert.Empty(_trail.Verify().Damage);
    }

    [Fact]
    public async Task Several_processes_continue_one_chain()
    {
        using var other = new SqliteStore(new Database(_trail.Path), _trail.Ring, _trail.Clock);
        for (var i = 0; i < 5; i++)
        {
            await _trail.Store.AuditAsync(_trail.Entry());
            await other.AuditAsync(_trail.Entry());
        }

        Assert.Equal(10, _trail.Find(new AuditFilter()).Count);
        Assert.Empty(_trail.Verify().Damage);
    }

    [Fact]
    public async Task A_checkpoint_is_made_when_something_came_and_covers_it()
    {
        Assert.Null(await _trail.MarkAsync());
        await _trail.AppendAsync(3);

        var checkpoint = await _trail.MarkAsync();

        Assert.Equal((1, 3), (checkpoint!.Number, checkpoint.Seq));
        Assert.Equal(checkpoint.Text, AuditCheckpoint.Parse(checkpoint.Text)!.Text);
        Assert.Null(await _trail.MarkAsync());
        Assert.Empty(_trail.Verify(checkpoint).Damage);
    }

    [Fact]
    public async Task After_a_rotation_the_old_key_can_go_and_the_trail_stays_whole()
    {
        var (old, added) = (RandomNumberGenerator.GetBytes(KeyRing.KeyBytes), RandomNumberGenerator.GetBytes(KeyRing.KeyBytes));
        using var trail = new AuditTrailFile(new KeyRing(1, new Dictionary<uint, byte[]> { [1] = old }));
        await trail.AppendAsync(3);
        await trail.MarkAsync();

        trail.Reopen(new KeyRing(2, new Dictionary<uint, byte[]> { [1] = old, [2] = added }));
        await trail.AppendAsync(3);
        Assert.Empty(trail.Verify().Damage);
        await trail.KeepAsync();
        trail.Reopen(new KeyRing(2, new Dictionary<uint, byte[]> { [2] = added }));

        Assert.Empty(trail.Verify().Damage);
        await trail.AppendAsync(1);
        Assert.Empty(trail.Verify().Damage);
    }

    [Fact]
    public async Task Old_rows_go_at_the_front_and_the_rest_stays_whole()
    {
        await _trail.AppendAsync(5_000);
        await _trail.MarkAsync();
        _trail.Clock.Advance(TimeSpan.FromDays(20));
        await _trail.AppendAsync(5_000);
        var kept = await _trail.MarkAsync();
        await _trail.AppendAsync(10);
        _trail.Clock.Advance(TimeSpan.FromDays(10) + TimeSpan.FromSeconds(-30));

        await _trail.KeepAsync(TimeSpan.FromDays(30));
        Assert.Equal(1, _trail.Verify().First); // not yet
        _trail.Clock.Advance(TimeSpan.FromMinutes(1));
        await _trail.KeepAsync(TimeSpan.FromDays(30));

        var report = _trail.Verify(kept);
        Assert.Empty(report.Damage);
        Assert.Equal((5_001, 10_010), (report.First, report.Last));
        Assert.Equal(5_010, _trail.Find(new AuditFilter()).Count);
        _trail.Tamper("DELETE FROM audit WHERE seq = 5001");
        Assert.Equal(5_001, _trail.Verify().Damage[0].Seq);
    }

    [Theory]
    [InlineData("UPDATE audit SET time = 0")]
    [InlineData("UPDATE audit SET time = 0; UPDATE audit_checkpoints SET time = 0")]
    public async Task Nobody_makes_the_server_remove_rows_by_making_them_look_old(string sql)
    {
        await _trail.AppendAsync(10);
        await _trail.MarkAsync();
        _trail.Tamper(sql);

        await _trail.KeepAsync(TimeSpan.FromDays(1));

        Assert.Equal(10, _trail.Find(new AuditFilter()).Count);
        Assert.NotEmpty(_trail.Verify().Damage);
    }
}
