using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;
using Mfa.Server.Tests.Protection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Store;

/// <summary>A database with a trail, which a test can write to as the server does and as a stranger does.</summary>
internal sealed class AuditTrailFile : IDisposable
{
    private readonly TempFolder _folder = new();

    public AuditTrailFile(KeyRing? ring = null)
    {
        Ring = ring ?? Rings.New();
        new Database(Path).Create(Ring);
        Store = new SqliteStore(new Database(Path), Ring, Clock);
    }

    public KeyRing Ring { get; private set; }

    public string Path => _folder.File("mfa.db");

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public SqliteStore Store { get; private set; }

    public AuditEntry Entry(string account = "alice", string caller = "service:shop", AuditOutcome outcome = AuditOutcome.Accepted) =>
        new(Clock.GetUtcNow(), AuditAct.Verify, new AuditCaller(caller, "192.0.2.7"), new AccountKey("default", account))
        {
            Outcome = outcome,
            Factor = ProvenBy.Authenticator,
            Reference = Guid.NewGuid(),
            Detail = "a detail",
        };

    /// <summary>Appends so many rows, a millisecond apart, in one transaction.</summary>
    public Task AppendAsync(int count, Func<int, AuditEntry>? entry = null) => Store.WriteAsync(session =>
    {
        for (var i = 0; i < count; i++)
        {
            session.Audit(entry?.Invoke(i) ?? Entry());
            Clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        return true;
    });

    public Task<AuditCheckpoint?> MarkAsync() => Store.WriteAsync(session => session.Trail.Mark(session, Clock.GetUtcNow()));

    public Task KeepAsync(TimeSpan? retention = null) =>
        new AuditKeeper(Store, new AuditOptions { Retention = retention ?? TimeSpan.FromDays(400) }, Clock, NullLogger<AuditKeeper>.Instance)
            .KeepAsync(CancellationToken.None);

    public AuditReport Verify(AuditCheckpoint? outside = null, long? after = null) =>
        Store.Read(session => new AuditVerification(session, Ring).Run(after, outside, _ => { }));

    public List<AuditRow> Find(AuditFilter filter, int limit = int.MaxValue) => Store.Read(session => AuditSearch.Find(session, filter, limit));

    /// <summary>Writes as someone who has the file and not the keys.</summary>
    public void Tamper(string sql)
    {
        using var stranger = new Database(Path).Open();
        Database.Execute(stranger, sql);
    }

    /// <summary>As after a restart of the server, maybe with another ring.</summary>
    public void Reopen(KeyRing? ring = null)
    {
        Store.Dispose();
        Ring = ring ?? Ring;
        Store = new SqliteStore(new Database(Path), Ring, Clock);
    }

    public void Dispose()
    {
        Store.Dispose();
        _folder.Dispose();
    }

}
