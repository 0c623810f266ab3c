using System.Security.Cryptography;
using System.Text;
using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Transfer;

/// <summary>What became of a row, or would.</summary>
internal enum ImportOutcome
{
    /// <summary>A mistake in the file. Zero, so that nothing counts as imported that nobody judged.</summary>
    Broken = 0,
    Unsupported,

    /// <summary>The account has something else here, which is left as it is.</summary>
    Taken,

    /// <summary>Of an issuer that was not asked for.</summary>
    LeftOut,

    /// <summary>It is here already, from an earlier run.</summary>
    Unchanged,
    Enabled,

    /// <summary>It waits for its first code.</summary>
    Pending,
}

internal readonly record struct ImportedRow(string Place, string Account, ImportOutcome Outcome, string Detail)
{
    public bool IsProblem => Outcome is ImportOutcome.Broken or ImportOutcome.Unsupported or ImportOutcome.Taken;
}

/// <param name="Issuer">Only rows of this issuer; null for all.</param>
/// <param name="AllPending">Every factor waits for a first code here, whatever the file says about it.</param>
internal sealed record ImportOptions(string Tenant, string Format, string? Issuer, bool AllPending);

/// <summary>
/// Puts the factors of other programs into accounts that have none. Each is saved in a transaction of its own with its row of
/// the trail, so that whoever breaks off and starts again loses nothing and doubles nothing.
/// </summary>
internal sealed class Importer(IStore store, KeyRing ring, ImportOptions options, TimeProvider clock)
{
    /// <summary>The longest that any setting lets an enrollment wait: the sweeper and the clock's repair go by it.</summary>
    private static readonly TimeSpan PendingLifetime = TimeSpan.FromDays(1);

    /// <summary>Saved in one commit, about 5 ms under the write lock.</summary>
    private const int RowsBesideServer = 64;

    /// <summary>Several commits' worth, so that rows are sealed while others are synced.</summary>
    private const int RowsAlone = 1024;

    /// <summary>A server that waits for the lock meanwhile gets its turn several times over before the next rows.</summary>
    private const int PauseFactor = 4;

    private readonly Sealer _sealer = new(ring);
    private readonly RecoveryHashes _recoveryHashes = new(ring);
    private readonly HashSet<UInt128> _seen = [];

    /// <summary>Changes nothing, and tells what would become of each row.</summary>
    public IEnumerable<ImportedRow> Check(IEnumerable<ForeignRow> rows)
    {
        _seen.Clear();
        foreach (var row in rows)
        {
            using var factor = row.Factor;
            yield return BeforeLooking(row) ?? Told(row, Judge(store.Find(KeyOf(row)), row.Factor!, clock.GetUtcNow()));
        }
    }

    /// <param name="gently">A server is at work on the same database.</param>
    /// <exception cref="StoreUnavailableException">Rows that were not told are not imported.</exception>
    public async IAsyncEnumerable<ImportedRow> RunAsync(
        IEnumerable<ForeignRow> rows, Func<bool> gently, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        _seen.Clear();
        using var left = rows.GetEnumerator();
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            var beside = gently();
            var batch = Next(left, beside ? RowsBesideServer : RowsAlone);
            if (batch.Count == 0) yield break;
            var began = clock.GetTimestamp();
            var told = await Task.WhenAll(batch.Select(row => BeforeLooking(row) is { } now ? Task.FromResult(now) : SaveAsync(row, ct)));
            foreach (var row in batch) row.Factor?.Dispose();
            foreach (var row in told) yield return row;
            if (beside) await Task.Delay(clock.GetElapsedTime(began) * PauseFactor, clock, ct);
        }
    }

    private static List<ForeignRow> Next(IEnumerator<ForeignRow> left, int most)
    {
        var batch = new List<ForeignRow>(most);
        while (batch.Count < most && left.MoveNext()) batch.Add(left.Current);
        return batch;
    }

    /// <summary>One row of the trail for the whole of it, beside those of the accounts.</summary>
    public Task TellAsync(IReadOnlyDictionary<ImportOutcome, long> counts) => store.AuditAsync(Operator.Did(
        $"import {options.Format}: {string.Join(", ", counts.OrderBy(c => c.Key).Select(c => $"{c.Value} {AuditNames.Of(c.Key)}"))}",
        clock.GetUtcNow(), new AccountKey(options.Tenant, "")));

    private ImportedRow? BeforeLooking(ForeignRow row)
    {
        if (row.Kind == RowKind.Broken) return Told(row, (ImportOutcome.Broken, row.Cause));
        if (row.Kind == RowKind.Unsupported) return Told(row, (ImportOutcome.Unsupported, row.Cause));
        if (options.Issuer is { } issuer && row.Factor!.Issuer != issuer) return Told(row, (ImportOutcome.LeftOut, "another issuer"));
        return _seen.Add(Fingerprint(row.Account)) ? null : Told(row, (ImportOutcome.Broken, "the account came before in this file"));
    }

    private async Task<ImportedRow> SaveAsync(ForeignRow row, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var key = KeyOf(row);
        var enrollment = NewEnrollment(key, row.Factor!);
        while (true)
        {
            try
            {
                return await store.UpdateAsync(store.Find(key), account => Decide(account, row, enrollment, now));
            }
            catch (StoreUnavailableException why) when (why.IsBusy)
            {
                ct.ThrowIfCancellationRequested(); // a busy server goes first
            }
        }
    }

    private Change<ImportedRow> Decide(Account account, ForeignRow row, Enrollment enrollment, DateTimeOffset now)
    {
        var judged = Judge(account, row.Factor!, now);
        var next = judged.Outcome switch
        {
            ImportOutcome.Enabled => account with
            {
                InForce = enrollment,
                Pending = null, // an expired one, if any
                PendingExpireTime = null,
                EnableTime = row.Factor!.EnableTime ?? now,
                FactorGuesses = new GuessBudget(row.Factor.Failures, LockedUntil: null),
            },
            ImportOutcome.Pending => account with { Pending = enrollment, PendingExpireTime = now + PendingLifetime },
            ImportOutcome.Broken or ImportOutcome.Unsupported or ImportOutcome.Taken or ImportOutcome.LeftOut or ImportOutcome.Unchanged => account,
        };
        var entry = ReferenceEquals(next, account) ? null
            : Operator.Did($"import {options.Format}: {AuditNames.Of(judged.Outcome)}", now, account.Key) with { Factor = enrollment.ProvenBy };
        return new(Told(row, judged), next, entry);
    }

    private (ImportOutcome Outcome, string Detail) Judge(Account account, ForeignFactor factor, DateTimeOffset now)
    {
        var pending = options.AllPending || !factor.Proven;
        if (account.InForce is { } inForce)
            return IsSame(account.Key, inForce, factor) ? (ImportOutcome.Unchanged, "") : (ImportOutcome.Taken, "another factor is in force");
        if (account.PendingAt(now) is { } waiting)
        {
            return pending && IsSame(account.Key, waiting, factor) ? (ImportOutcome.Unchanged, "")
                : (ImportOutcome.Taken, "an enrollment waits for its first code");
        }

        if (account.DisableTime is not null) return (ImportOutcome.Taken, "its second factor was switched off here");
        if (factor.LastStep > TotpMatch.StepAt(now, factor.Totp) + 1 + TotpMatch.MostTolerance)
            return (ImportOutcome.Broken, "last step: lies in the future");
        if (pending && factor.Secret is null) return (ImportOutcome.Unsupported, "its first code must be sent: start the enrollment with Enable");
        return (pending ? ImportOutcome.Pending : ImportOutcome.Enabled, string.Join("; ", factor.Notes));
    }

    private bool IsSame(AccountKey key, Enrollment stored, ForeignFactor factor)
    {
        if (stored.Method != factor.Method) return false;
        if (factor.Secret is null)
        {
            return factor.Method == Method.Email
                ? stored.Email is { } email && IsText(email, Sealer.EmailBinding(key), factor.Email!.Reveal())
                : stored.Phone is { } phone && IsText(phone, Sealer.PhoneBinding(key), factor.Phone!.Stored);
        }

        if (stored.Totp != factor.Totp || stored.Secret is null) return false;
        using var secret = _sealer.OpenSecret(stored.Secret, Sealer.SecretBinding(key, stored.Id, stored.Method, stored.Totp));
        return CryptographicOperations.FixedTimeEquals(secret.Bytes, factor.Secret.Bytes);
    }

    private bool IsText(SealedBytes value, byte[] binding, string text) =>
        CryptographicOperations.FixedTimeEquals(_sealer.Open(value, binding), Encoding.UTF8.GetBytes(text));

    private Enrollment NewEnrollment(AccountKey key, ForeignFactor factor)
    {
        var id = Guid.NewGuid();
        return new Enrollment(
            id,
            factor.Method,
            factor.Totp,
            factor.Secret is null ? null : _sealer.Seal(factor.Secret.Bytes, Sealer.SecretBinding(key, id, factor.Method, factor.Totp)),
            factor.LastStep,
            factor.RecoveryCodes.Count > 0 ? _recoveryHashes.PartialSet(key, factor.RecoveryCodes) : _recoveryHashes.NoSet(),
            Seal(factor.Email?.Reveal(), Sealer.EmailBinding(key)),
            Seal(factor.Phone?.Stored, Sealer.PhoneBinding(key)),
            factor.Locale,
            Spent: factor.Spent);
    }

    private SealedBytes? Seal(string? text, byte[] binding) => text is null ? null : _sealer.Seal(Encoding.UTF8.GetBytes(text), binding);

    private AccountKey KeyOf(ForeignRow row) => new(options.Tenant, row.Account);

    /// <summary>What is not a name is not printed: it could be anything, and steer a terminal.</summary>
    private static ImportedRow Told(ForeignRow row, (ImportOutcome Outcome, string Detail) judged) =>
        new(row.Place, AccountKey.IsName(row.Account) ? row.Account : "", judged.Outcome, judged.Detail);

    /// <summary>Sixteen bytes an account instead of its name: a file may have millions.</summary>
    private static UInt128 Fingerprint(string account)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(account), hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
