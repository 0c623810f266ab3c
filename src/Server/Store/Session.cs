using System.Data.Common;
using Mfa.Server.Domain;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store;

/// <summary>
/// A connection with the statements it has compiled so far: compiling one takes several times as long as running it. For one
/// thread at a time.
/// </summary>
/// <param name="trail">The audit trail's end; only the writer has it.</param>
internal class Session(DbConnection connection, AuditTrail? trail = null) : IDisposable
{
    private readonly Dictionary<string, DbCommand> _commands = [];
    private readonly Dictionary<string, Statement> _statements = [];

    /// <summary>Accounts that the transaction underway has saved, as they are once it is committed.</summary>
    public List<Account> Saved { get; } = [];

    public AuditTrail Trail => trail ?? throw new InvalidOperationException("Only the writer writes to the audit trail.");

    /// <summary>Puts a row into the audit trail, in the transaction of what it tells about.</summary>
    public virtual void Audit(AuditEntry entry) => Trail.Append(this, entry);

    /// <summary>Signs what is signed with older keys of the ring with the active one, so that they can be removed.</summary>
    /// <returns>How many checkpoints were signed.</returns>
    public virtual int SignTrailAgain(int most, DateTimeOffset now) => Trail.SignAgain(this, most, now);

    /// <summary>The statement, without values of its last use. Belongs to the session: do not dispose of it.</summary>
    public DbCommand Command(string sql)
    {
        if (_commands.TryGetValue(sql, out var command))
        {
            command.Parameters.Clear();
            return command;
        }

        command = connection.CreateCommand();
#pragma warning disable CA2100 // every caller passes a constant; values are parameters
        command.CommandText = sql;
#pragma warning restore CA2100
        _commands.Add(sql, command);
        return command;
    }

    /// <summary>The statement for positions, without objects in between. Belongs to the session: do not dispose of it.</summary>
    public Statement Statement(string sql)
    {
        if (!_statements.TryGetValue(sql, out var statement)) _statements.Add(sql, statement = new Statement((SqliteConnection)connection, sql));
        return statement;
    }

    public void Execute(string sql) => Command(sql).ExecuteNonQuery();

    public virtual void Dispose()
    {
        foreach (var command in _commands.Values) command.Dispose();
        foreach (var statement in _statements.Values) statement.Dispose();
        connection.Dispose();
    }
}
