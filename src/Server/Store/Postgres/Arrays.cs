using Npgsql;
using NpgsqlTypes;

namespace Mfa.Server.Store.Postgres;

/// <summary>Parameters that are arrays: one value a row.</summary>
internal static class Arrays
{
    public static NpgsqlParameter Of<T>(NpgsqlDbType type, IReadOnlyList<T> rows, Func<T, object?> of)
    {
        var parameter = type switch
        {
            NpgsqlDbType.Bigint => (NpgsqlParameter)new NpgsqlParameter<long?[]> { TypedValue = [.. rows.Select(row => (long?)of(row))] },
            NpgsqlDbType.Text => new NpgsqlParameter<string?[]> { TypedValue = [.. rows.Select(row => (string?)of(row))] },
            NpgsqlDbType.Bytea => new NpgsqlParameter<byte[]?[]> { TypedValue = [.. rows.Select(row => (byte[]?)of(row))] },
            _ => throw new ArgumentOutOfRangeException(nameof(type)),
        };
        parameter.NpgsqlDbType = NpgsqlDbType.Array | type;
        return parameter;
    }
}
