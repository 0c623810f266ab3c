using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store;

/// <summary>
/// A connection with the statements it has compiled so far: compiling one takes several times as long as running it. For one
/// thread at a time.
/// </summary>
internal sealed class Session(SqliteConnection connection) : IDisposable
{
    private readonly Dictionary<string, SqliteCommand> _commands = [];

    /// <summary>The statement, without values of its last use. Belongs to the session: do not dispose of it.</summary>
    public SqliteCommand Command(string sql)
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

    public void Execute(string sql) => Command(sql).ExecuteNonQuery();

    public void Dispose()
    {
        foreach (var command in _commands.Values) command.Dispose();
        connection.Dispose();
    }
}
