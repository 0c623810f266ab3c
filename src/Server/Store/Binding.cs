using System.Data;
using System.Data.Common;

namespace Mfa.Server.Store;

/// <summary>
/// Values of named parameters, typed also where they are null: PostgreSQL has to know what kind of nothing it gets. Numbers are
/// 64 bits wide everywhere.
/// </summary>
internal static class Binding
{
    public static void Bind(this DbCommand command, string name, long? value) => Add(command, name, DbType.Int64, value);

    public static void Bind(this DbCommand command, string name, string? value) => Add(command, name, DbType.String, value);

    public static void Bind(this DbCommand command, string name, byte[]? value) => Add(command, name, DbType.Binary, value);

    private static void Add(DbCommand command, string name, DbType type, object? value)
    {
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.DbType, parameter.Value) = (name, type, value ?? DBNull.Value);
        command.Parameters.Add(parameter);
    }
}
