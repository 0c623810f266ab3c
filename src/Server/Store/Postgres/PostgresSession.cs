using Mfa.Server.Domain;
using Npgsql;

namespace Mfa.Server.Store.Postgres;

/// <summary>
/// A connection to PostgreSQL for one piece of work. Audit rows are kept until its end, because the writer that commits it
/// chains them.
/// </summary>
internal sealed class PostgresSession(NpgsqlConnection connection, TrailSigning? signing = null) : Session(connection)
{
    private readonly List<AuditEntry> _entries = [];

    public NpgsqlConnection Connection { get; } = connection;

    /// <summary>What this work tells the trail, in the order it was told.</summary>
    public IReadOnlyList<AuditEntry> Entries => _entries;

    public override void Audit(AuditEntry entry) => _entries.Add(entry);

    public override int SignTrailAgain(int most, DateTimeOffset now) =>
        (signing ?? throw new InvalidOperationException("Only a writer signs the audit trail.")).SignAgain(this, most);
}
