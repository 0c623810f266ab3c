using System.Security.Cryptography;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Npgsql;

namespace Mfa.Server.Store.Postgres;

/// <summary>Rows to be appended to a chain, and its end after them.</summary>
internal sealed record TrailRows(long Chain, AuditHead From, AuditHead To, IReadOnlyList<(long Seq, AuditEntry Entry, byte[] Hash)> Rows);

/// <summary>
/// The writing end of one chain of the audit trail. Each writer has its own: it knows the end by heart, and appends without
/// asking. That nobody else went on with the chain is a condition of every append. An end that was altered is never signed
/// over: the chain begins anew behind a row that says so.
/// </summary>
internal sealed class TrailChain(PostgresDatabase database, KeyRing ring, TimeProvider clock)
{
    /// <summary>A writer that was not heard of for so long has no chain any more. It says that it lives every minute.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    // Unnested in the select list and not in FROM, where each array would be written to a table in memory and read from it.
    private const string Insert = """
        INSERT INTO audit (chain, seq, time, act, outcome, reason, factor, calls, account_key, tenant, account, caller, peer, reference, detail, hash)
        SELECT $1, unnest($2), unnest($3), unnest($4), unnest($5), unnest($6), unnest($7), unnest($8), unnest($9), unnest($10), unnest($11),
            unnest($12), unnest($13), unnest($14), unnest($15), unnest($16)
        """;

    private const string MoveHead = """
        WITH saved AS (
            UPDATE audit_head SET seq = $1, hash = $2, key_id = $3, mac = $4 WHERE chain = $5 AND seq = $6 AND hash = $7 AND held_by = $8
            AND checkpoint = $9 AND base_seq = $10 RETURNING 1)
        SELECT 1 / (count(*) = 1)::int FROM saved
        """;

    private readonly byte[] _holder = RandomNumberGenerator.GetBytes(16);
    private readonly AuditChain _hashing = new();
    private FoundHead? _held;
    private bool _broken;

    /// <summary>Whether an end was found altered since this was asked last.</summary>
    public bool TakeBroken() => Interlocked.Exchange(ref _broken, false);

    /// <summary>Makes sure that there is a chain to append to, and that its end is known.</summary>
    public async Task HoldAsync()
    {
        if (_held is not null) return;
        await using var connection = await database.OpenAsync();
        using var session = new PostgresSession(connection);
        await Transactions.RetryAsync(() =>
        {
            _held = Transactions.Run(session, Claim);
            return Task.CompletedTask;
        });
    }

    /// <summary>What entries become when they are appended; nothing is appended yet.</summary>
    public TrailRows Next(IReadOnlyCollection<AuditEntry> entries)
    {
        var (chain, head, _) = _held ?? throw new InvalidOperationException("The chain is not held.");
        var rows = new List<(long, AuditEntry, byte[])>(entries.Count);
        var (seq, hash) = (head.Seq, head.Hash);
        foreach (var entry in entries)
        {
            for (var next = entry; next is not null; next = next.And)
            {
                hash = HashOf(++seq, next, hash);
                rows.Add((seq, next, hash));
            }
        }

        return new TrailRows(chain, head, head with { Seq = seq, Hash = hash }, rows);
    }

    public IEnumerable<NpgsqlBatchCommand> Commands(TrailRows rows)
    {
        if (rows.Rows.Count == 0) yield break;
        var insert = new NpgsqlBatchCommand(Insert);
        insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = rows.Chain });
        void Numbers(Func<(long Seq, AuditEntry Entry, byte[] Hash), long> of) => insert.Parameters.Add(Arrays.Numbers(rows.Rows, of));
        void Texts(Func<(long Seq, AuditEntry Entry, byte[] Hash), string?> of) => insert.Parameters.Add(Arrays.Texts(rows.Rows, of));
        void Bytes(Func<(long Seq, AuditEntry Entry, byte[] Hash), byte[]?> of) => insert.Parameters.Add(Arrays.Bytes(rows.Rows, of));
        Numbers(row => row.Seq);
        Numbers(row => row.Entry.Time.ToUnixTimeMilliseconds());
        Numbers(row => (long)row.Entry.Act);
        Numbers(row => (long)row.Entry.Outcome);
        Numbers(row => (long)row.Entry.Reason);
        Numbers(row => (long)row.Entry.Factor);
        Numbers(row => (long)row.Entry.Calls);
        Numbers(row => row.Entry.AccountDigest);
        Texts(row => row.Entry.Account.Tenant);
        Texts(row => row.Entry.Account.Account);
        Texts(row => row.Entry.By.Id);
        Texts(row => row.Entry.By.Peer);
        Bytes(row => row.Entry.Reference?.ToByteArray(bigEndian: true));
        Texts(row => row.Entry.Detail);
        Bytes(row => row.Hash);
        yield return insert;

        var keyId = ring.ActiveId;
        var move = new NpgsqlBatchCommand(MoveHead);
        foreach (var value in new object[]
                 {
                     rows.To.Seq, rows.To.Hash, (long)keyId, rows.To.Mac(ring, keyId), rows.Chain, rows.From.Seq, rows.From.Hash, _holder,
                     rows.From.Checkpoint, rows.From.BaseSeq,
                 })
        {
            move.Parameters.Add(value is long number ? new NpgsqlParameter<long> { TypedValue = number } : new NpgsqlParameter<byte[]> { TypedValue = (byte[])value });
        }

        yield return move;
    }

    public void Committed(TrailRows rows) => _held = new FoundHead(rows.Chain, rows.To, Sound: true);

    /// <summary>The end may be another one than is known here: it is looked up before the next append.</summary>
    public void Lost() => _held = null;

    /// <summary>
    /// Whether rows got in whose commit nobody answered for. Only the end that they would have made proves it: no other rows
    /// hash to it.
    /// </summary>
    public async Task<bool> AreSavedAsync(TrailRows rows)
    {
        if (rows.Rows.Count == 0) return false;
        await using var connection = await database.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT hash FROM audit WHERE chain = $1 AND seq = $2", connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = rows.Chain });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = rows.To.Seq });
        return await command.ExecuteScalarAsync() is byte[] hash && hash.AsSpan().SequenceEqual(rows.To.Hash);
    }

    /// <summary>Signs a checkpoint, when something came since the last one, and says that this writer lives.</summary>
    public async Task<AuditCheckpoint?> MarkAsync()
    {
        if (_held is not { } held) return null; // nothing was ever appended
        var now = clock.GetUtcNow();
        await using var connection = await database.OpenAsync();
        using var session = new PostgresSession(connection);
        AuditCheckpoint? checkpoint = null;
        var head = held.Head;
        Transactions.Run(session, _ =>
        {
            ChainRows.Hold(session, held.Chain, _holder, now + Lease);
            if (head.Seq == 0 || head.Seq == (CheckpointRows.Find(session, held.Chain, head.Checkpoint)?.Seq ?? head.BaseSeq)) return false;
            checkpoint = AuditCheckpoint.New(ring, head.Checkpoint + 1, head.Seq, now, head.Hash);
            CheckpointRows.Save(session, held.Chain, checkpoint);
            head = head with { Checkpoint = checkpoint.Number };
            if (!ChainRows.Save(session, held.Chain, head, ring, from: held.Head)) throw new LostRaceException();
            return true;
        });
        _held = held with { Head = head };
        return checkpoint;
    }

    /// <summary>Lets another writer go on with the chain at once.</summary>
    public async Task ReleaseAsync()
    {
        if (_held is not { } held) return;
        await using var connection = await database.OpenAsync();
        using var session = new PostgresSession(connection);
        ChainRows.Release(session, held.Chain, _holder);
        _held = null;
    }

    private FoundHead Claim(PostgresSession session)
    {
        var now = clock.GetUtcNow();
        var found = ChainRows.Claim(session, ring, _holder, now, now + Lease);
        // After the claim: a copy to a file changes all these rows at its end, and whoever waited for it sees what it left.
        if (!PostgresSchema.MayBeServed(session))
            throw new StoreUnavailableException(new InvalidOperationException("The database is not served any more: it was copied to a file."));
        return found.Sound ? found : BeginAnew(session, found, now);
    }

    private FoundHead BeginAnew(PostgresSession session, FoundHead found, DateTimeOffset now)
    {
        _broken = true;
        var seq = Math.Max(ChainAudit.NewestSeq(session, found.Chain), found.Head.Seq);
        var checkpoint = CheckpointRows.NewestNumber(session, found.Chain);
        var nothing = new byte[AuditChain.HashBytes];
        var entry = new AuditEntry(now, AuditAct.TrailBroken, AuditCaller.Server, new AccountKey("", ""))
        {
            Outcome = AuditOutcome.Failed,
            Reason = AuditReason.HeadAltered,
        };
        var hash = HashOf(seq + 1, entry, nothing);
        ChainAudit.Add(session, found.Chain, seq + 1, entry, hash);
        var head = new AuditHead(seq, nothing, checkpoint, seq + 1, hash, checkpoint);
        ChainRows.Save(session, found.Chain, head, ring, from: found.Head);
        return new FoundHead(found.Chain, head, Sound: true);
    }

    private byte[] HashOf(long seq, AuditEntry entry, byte[] previous)
    {
        var hash = new byte[AuditChain.HashBytes];
        ChainAudit.Hash(_hashing, previous, seq, entry, hash);
        return hash;
    }
}
