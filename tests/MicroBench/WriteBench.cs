using BenchmarkDotNet.Attributes;
using Mfa.Server;
using Mfa.Server.Domain;
using Mfa.Server.Store;

namespace Mfa.MicroBench;

/// <summary>What the store does for a verdict: read the account; save it with its audit row, 64 callers at a time, synced.</summary>
[MemoryDiagnoser]
public class WriteBench
{
    private const int Accounts = 20_000;
    private const int Group = 64;
    private BenchFolder _folder = null!;
    private DataFolder _data = null!;
    private AccountKey[] _keys = null!;
    private int _next;
    private long _step = 100;

    [GlobalSetup]
    public async Task SetUp()
    {
        (_folder, _keys) = (new BenchFolder(), [.. Enumerable.Range(0, Accounts).Select(i => new AccountKey("default", $"account-{i}"))]);
        _data = await DataFolder.OpenAsync(_folder.Path, TimeProvider.System);
        await Task.WhenAll(_keys.Select(key => Update(key, account => account with { InForce = Enrollment(), EnableTime = _data.Store.Clock.GetUtcNow() })));
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _data.Dispose();
        _folder.Dispose();
    }

    [Benchmark(Baseline = true)]
    public object Find() => _data.Store.Find(NextKey());

    [Benchmark(OperationsPerInvoke = Group)]
    public async Task FindAndSave()
    {
        _step++;
        await Task.WhenAll(Enumerable.Range(0, Group).Select(_ =>
            Update(NextKey(), account => account with { InForce = account.InForce! with { LastStep = _step } })));
    }

    private AccountKey NextKey() => _keys[(uint)Interlocked.Add(ref _next, 7919) % Accounts];

    private Task<bool> Update(AccountKey key, Func<Account, Account> change)
    {
        var entry = new AuditEntry(_data.Store.Clock.GetUtcNow(), AuditAct.Verify, new AuditCaller("service:shop", "192.0.2.7"), key)
        {
            Outcome = AuditOutcome.Accepted,
        };
        return _data.Store.UpdateAsync(_data.Store.Find(key), account => new Change<bool>(true, change(account), entry));
    }

    private static Enrollment Enrollment() => new(
        Guid.NewGuid(), Method.Authenticator, new TotpParameters(OtpAlgorithm.Sha1, 6, 30), new SealedBytes(new byte[57]), LastStep: 1,
        new RecoverySet(Guid.NewGuid(), 1, new byte[8 * 32], Used: 0), Email: null);
}
