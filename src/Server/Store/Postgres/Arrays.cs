using Npgsql;
using NpgsqlTypes;

namespace Mfa.Server.Store.Postgres;

/// <summary>Parameters that are arrays: one value a row.</summary>
internal static class Arrays
{
    private const NpgsqlDbType NumbersType = NpgsqlDbType.Array | NpgsqlDbType.Bigint;

    public static NpgsqlParameter Numbers<T>(IReadOnlyList<T> rows, Func<T, long> of) =>
        new NpgsqlParameter<long[]> { TypedValue = Values(rows, of), NpgsqlDbType = NumbersType };

    public static NpgsqlParameter Numbers<T>(IReadOnlyList<T> rows, Func<T, long?> of)
    {
        var values = Values(rows, of);
        return values.Contains(null)
            ? new NpgsqlParameter<long?[]> { TypedValue = values, NpgsqlDbType = NumbersType }
            : new NpgsqlParameter<long[]> { TypedValue = Array.ConvertAll(values, value => value!.Value), NpgsqlDbType = NumbersType }; // far cheaper to write
    }

    public static NpgsqlParameter Texts<T>(IReadOnlyList<T> rows, Func<T, string?> of) =>
        new NpgsqlParameter<string?[]> { TypedValue = Values(rows, of), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    public static NpgsqlParameter Bytes<T>(IReadOnlyList<T> rows, Func<T, byte[]?> of) =>
        new NpgsqlParameter<byte[]?[]> { TypedValue = Values(rows, of), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };

    private static TValue[] Values<T, TValue>(IReadOnlyList<T> rows, Func<T, TValue> of)
    {
        var values = new TValue[rows.Count];
        for (var i = 0; i < values.Length; i++) values[i] = of(rows[i]);
        return values;
    }
}
