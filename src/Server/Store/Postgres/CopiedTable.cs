using System.Buffers.Binary;
using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using NpgsqlTypes;

namespace Mfa.Server.Store.Postgres;

/// <summary>A table that is there in both databases, with the same columns; in PostgreSQL perhaps in a chain.</summary>
/// <param name="Key">The columns that name a row, in the order that both databases sort by in the same way: by bytes.</param>
/// <param name="InChain">Whether the rows stand in a chain there: the file's is the first one.</param>
internal sealed record CopiedTable(string Name, string[] Key, bool InChain = false)
{
    public static readonly CopiedTable[] All =
    [
        new("accounts", ["tenant", "account"]),
        new("answers", ["tenant", "account", "caller", "request_id"]),
        new("outbox", ["tenant", "account", "id"]),
        new("send_counts", ["name", "subject", "window_start"]),
        new("api_keys", ["id"]),
        new("certificate_names", ["san"]),
        new("revoked_certificates", ["fingerprint"]),
        new("users", ["name"]),
        new("standing_key", ["id"]),
        new("clock_gaps", ["from_time", "to_time"]),
        new("audit", ["seq"], InChain: true),
        new("audit_checkpoints", ["number"], InChain: true),
        new("ring_keys", ["id"]),
    ];

    /// <summary>Rows that are copied at a time: a few megabytes.</summary>
    public const int Page = 5_000;

    public string Order => string.Join(", ", Key);

    /// <summary>The names of the columns, and whether each is text, bytes or a number.</summary>
    public List<(string Name, NpgsqlDbType Type)> Columns(Session file)
    {
        var command = file.Command("SELECT name, type FROM pragma_table_info(@table) ORDER BY cid");
        command.Bind("@table", Name);
        using var row = command.ExecuteReader();
        var columns = new List<(string, NpgsqlDbType)>();
        while (row.Read())
        {
            columns.Add((row.GetString(0), row.GetString(1) switch
            {
                "TEXT" => NpgsqlDbType.Text,
                "BLOB" => NpgsqlDbType.Bytea,
                _ => NpgsqlDbType.Bigint,
            }));
        }

        return columns;
    }

    public long Count(Session session) => (long)session.Command($"SELECT count(*) FROM {Name}").ExecuteScalar()!;

    /// <summary>SHA-256 of every value of every row, in the order of the keys.</summary>
    public string Digest(Session session, IReadOnlyList<(string Name, NpgsqlDbType Type)> columns) => Digest(session, columns, Name, Order);

    /// <summary>The same of rows that one has to be more exact about.</summary>
    public static string Digest(Session session, IReadOnlyList<(string Name, NpgsqlDbType Type)> columns, string from, string order)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var row = session.Command($"SELECT {NamesOf(columns)} FROM {from} ORDER BY {order}").ExecuteReader();
        Span<byte> number = stackalloc byte[sizeof(long)];
        while (row.Read())
        {
            for (var i = 0; i < columns.Count; i++)
            {
                if (row.IsDBNull(i))
                {
                    hash.AppendData([0]);
                    continue;
                }

                if (columns[i].Type == NpgsqlDbType.Bigint)
                {
                    BinaryPrimitives.WriteInt64BigEndian(number, row.GetInt64(i));
                    hash.AppendData([1]);
                    hash.AppendData(number);
                    continue;
                }

                var bytes = columns[i].Type == NpgsqlDbType.Text ? Encoding.UTF8.GetBytes(row.GetString(i)) : row.GetFieldValue<byte[]>(i);
                BinaryPrimitives.WriteInt64BigEndian(number, bytes.Length);
                hash.AppendData([2]);
                hash.AppendData(number);
                hash.AppendData(bytes);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public static string NamesOf(IEnumerable<(string Name, NpgsqlDbType Type)> columns) => string.Join(", ", columns.Select(c => c.Name));

    /// <summary>The key of the last row that is there; null when there is none.</summary>
    public object[]? LastKey(Session target)
    {
        using var row = target.Command($"SELECT {Order} FROM {Name} ORDER BY {string.Join(", ", Key.Select(key => $"{key} DESC"))} LIMIT 1").ExecuteReader();
        return row.Read() ? [.. Key.Select((_, i) => row.GetValue(i))] : null;
    }

    /// <summary>The next rows behind a key, in its order.</summary>
    public DbCommand PageAfter(Session source, IReadOnlyList<(string Name, NpgsqlDbType Type)> columns, object[]? last)
    {
        var behind = last is null ? "" : $"WHERE ({Order}) > ({string.Join(", ", Key.Select((_, i) => $"@k{i}"))})";
        var command = source.Command($"SELECT {NamesOf(columns)} FROM {Name} {behind} ORDER BY {Order} LIMIT {Page}");
        for (var i = 0; last is not null && i < last.Length; i++)
        {
            if (last[i] is long number) command.Bind($"@k{i}", number);
            else if (last[i] is string text) command.Bind($"@k{i}", text);
            else command.Bind($"@k{i}", (byte[])last[i]);
        }

        return command;
    }
}
