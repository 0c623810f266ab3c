using System.Security.Cryptography;
using Mfa.Server.Domain;
using Mfa.Server.Store;

namespace Mfa.Server.Tests.Store;

/// <summary>What a stranger with the database and without the key ring can do to the trail, and where it shows.</summary>
public sealed class AuditTamperingTests : IDisposable
{
    private readonly AuditTrailFile _trail = new();

    public void Dispose() => _trail.Dispose();

    [Theory]
    [InlineData("UPDATE audit SET time = time + 1 WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET act = 2 WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET outcome = 3 WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET reason = 1 WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET factor = 1 WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET calls = 2 WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET account_key = 0 WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET tenant = 'other' WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET account = 'bob' WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET caller = 'service:other' WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET peer = '' WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET reference = NULL WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET reference = zeroblob(16) WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET detail = '' WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET hash = zeroblob(32) WHERE seq = 5", 5)]
    [InlineData("UPDATE audit SET caller = caller || peer, peer = '' WHERE seq = 5", 5)] // the same bytes with another border
    [InlineData("UPDATE audit SET act = 60 WHERE seq = 5", 5)] // passes itself off as a new beginning
    [InlineData("UPDATE audit SET seq = -1 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6; UPDATE audit SET seq = 6 WHERE seq = -1", 5)]
    [InlineData("DELETE FROM audit WHERE seq = 1", 1)]
    [InlineData("DELETE FROM audit WHERE seq = 5", 5)]
    [InlineData("DELETE FROM audit WHERE seq = 10", 10)]
    [InlineData("DELETE FROM audit WHERE seq > 6", 7)]
    [InlineData("DELETE FROM audit", 1)]
    [InlineData("DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = seq - 1 WHERE seq > 5", 5)]
    [InlineData("INSERT INTO audit SELECT 11, time, act, outcome, reason, factor, calls, account_key, tenant, account, caller, peer, reference, detail, hash FROM audit WHERE seq = 10", 11)]
    [InlineData("INSERT INTO audit SELECT 0, time, act, outcome, reason, factor, calls, account_key, tenant, account, caller, peer, reference, detail, hash FROM audit WHERE seq = 1", 0)]
    [InlineData("DELETE FROM audit WHERE seq = 10; UPDATE audit_head SET seq = 9, hash = (SELECT hash FROM audit WHERE seq = 9)", 9)]
    [InlineData("DELETE FROM audit WHERE seq < 4; UPDATE audit_head SET base_seq = 3, base_hash = zeroblob(32)", 10)]
    [InlineData("UPDATE audit_head SET mac = zeroblob(32)", 10)]
    [InlineData("DELETE FROM audit_head", 0)]
    [InlineData("DELETE FROM audit_checkpoints WHERE number = 1", 8)]
    [InlineData("DELETE FROM audit_checkpoints WHERE number = 2", 10)]
    [InlineData("DELETE FROM audit_checkpoints", 10)]
    [InlineData("UPDATE audit_checkpoints SET time = time - 1 WHERE number = 1", 4)]
    [InlineData("UPDATE audit_checkpoints SET seq = seq - 1 WHERE number = 1", 1)]
    public async Task It_is_found_with_the_first_bad_row(string sql, long firstBad)
    {
        await _trail.AppendAsync(4);
        await _trail.MarkAsync();
        await _trail.AppendAsync(4);
        await _trail.MarkAsync();
        await _trail.AppendAsync(2);
        Assert.Empty(_trail.Verify().Damage);

        _trail.Tamper(sql);

        Assert.Equal(firstBad, _trail.Verify().Damage[0].Seq);
    }

    [Fact]
    public async Task A_chain_that_was_hashed_anew_is_found_and_narrowed_down_by_the_checkpoints()
    {
        await _trail.AppendAsync(4);
        await _trail.MarkAsync();
        await _trail.AppendAsync(4);
        await _trail.MarkAsync();
        await _trail.AppendAsync(2);

        await HashAnewAsync("UPDATE audit SET outcome = 3 WHERE seq = 6");

        var damage = Assert.Single(_trail.Verify().Damage);
        Assert.Equal(5, damage.Seq);
        Assert.Contains("up to 8", damage.What);
    }

    [Fact]
    public async Task A_chain_that_was_hashed_anew_behind_the_last_checkpoint_is_found_by_the_head()
    {
        await _trail.AppendAsync(4);
        await _trail.MarkAsync();
        await _trail.AppendAsync(4);

        await HashAnewAsync("UPDATE audit SET outcome = 3 WHERE seq = 6");

        Assert.Equal(5, Assert.Single(_trail.Verify().Damage).Seq);
    }

    [Fact]
    public async Task An_older_copy_of_the_whole_trail_is_found_by_a_checkpoint_that_was_kept_elsewhere()
    {
        await _trail.AppendAsync(4);
        _trail.Tamper("CREATE TABLE copy AS SELECT * FROM audit_head");
        await _trail.AppendAsync(4);
        var kept = AuditCheckpoint.Parse((await _trail.MarkAsync())!.Text)!;
        Assert.Empty(_trail.Verify(kept).Damage);

        _trail.Tamper("DELETE FROM audit WHERE seq > 4; DELETE FROM audit_checkpoints; DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM copy");
        _trail.Reopen();

        Assert.Empty(_trail.Verify().Damage); // the limit that SECURITY.md states
        Assert.Equal(8, Assert.Single(_trail.Verify(kept).Damage).Seq);
        await _trail.AppendAsync(6);
        Assert.Equal(8, Assert.Single(_trail.Verify(kept).Damage).Seq);
    }

    [Fact]
    public async Task A_made_up_checkpoint_is_told_from_a_damaged_trail()
    {
        await _trail.AppendAsync(4);
        var kept = (await _trail.MarkAsync())!;

        var report = _trail.Verify(kept with { Hash = RandomNumberGenerator.GetBytes(32) });

        Assert.Contains(report.Damage, damage => damage.What.Contains("not one of this key ring", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("DELETE FROM audit_head", "head_missing", false)]
    [InlineData("DELETE FROM audit_head", "head_missing", true)]
    [InlineData("DELETE FROM audit WHERE seq > 4; UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4)", "head_altered", true)]
    [InlineData("DELETE FROM audit WHERE seq > 4; DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM copy", "head_rolled_back", false)]
    public async Task The_server_goes_on_behind_a_row_that_tells_of_the_damage_and_never_signs_it_over(string sql, string why, bool restart)
    {
        await _trail.AppendAsync(4);
        await _trail.MarkAsync();
        _trail.Tamper("CREATE TABLE copy AS SELECT * FROM audit_head");
        await _trail.AppendAsync(4);

        _trail.Tamper(sql);
        if (restart) _trail.Reopen();
        await _trail.AppendAsync(3);
        await _trail.MarkAsync();
        await _trail.AppendAsync(3);

        var damage = _trail.Verify().Damage;
        var row = Assert.Single(damage, d => d.What.Contains($"({why})", StringComparison.Ordinal));
        Assert.Equal(AuditAct.TrailBroken, Assert.Single(_trail.Find(new AuditFilter(Outcome: AuditOutcome.Failed))).Act);
        Assert.Empty(_trail.Verify(after: row.Seq).Damage); // the rest holds, once the damage is known
        _trail.Tamper($"DELETE FROM audit WHERE seq = {row.Seq}");
        Assert.NotEmpty(_trail.Verify(after: row.Seq - 1).Damage);
    }

    [Fact]
    public async Task A_row_in_the_way_of_the_next_one_keeps_nobody_waiting()
    {
        await _trail.AppendAsync(4);
        _trail.Tamper("""
            INSERT INTO audit SELECT 5, time, act, outcome, reason, factor, calls, account_key, tenant, account, caller, peer, reference, detail, hash
            FROM audit WHERE seq = 4
            """);
        Assert.Equal(5, Assert.Single(_trail.Verify().Damage).Seq);

        await _trail.AppendAsync(1);

        Assert.Empty(_trail.Verify().Damage);
    }

    [Fact]
    public async Task Rows_hidden_from_the_finding_aid_are_found()
    {
        await _trail.AppendAsync(10_000, i => _trail.Entry(caller: i == 5000 ? "service:rare" : "service:shop"));
        await _trail.KeepAsync();
        Assert.Empty(_trail.Verify().Damage);

        _trail.Tamper("DELETE FROM audit_segments WHERE caller = 'service:rare'");

        Assert.Equal(5001, Assert.Single(_trail.Verify().Damage).Seq);
    }

    /// <summary>Changes rows and then every hash, which needs no key; what it cannot make is a signature.</summary>
    private async Task HashAnewAsync(string sql)
    {
        _trail.Tamper(sql);
        await _trail.Store.WriteAsync(session =>
        {
            var (chain, hash) = (new AuditChain(), new byte[AuditChain.HashBytes]);
            AuditHead.Find(session, out _, out _)!.BaseHash.CopyTo(hash, 0);
            var hashes = new List<(long Seq, byte[] Hash)>();
            for (var row = AuditRows.From(session, 0); row.Step();)
            {
                AuditRows.HashOf(row, chain, hash);
                hashes.Add((row.Long(0), [.. hash]));
            }

            var update = session.Statement("UPDATE audit SET hash = ?2 WHERE seq = ?1");
            foreach (var (seq, own) in hashes)
            {
                update.Bind(1, seq);
                update.BindBytes(2, own);
                update.Step();
            }

            return true;
        });
    }
}
