using System.Buffers.Binary;
using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
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

    private const int Page = 5_000;

    private string Order => string.Join(", ", Key);

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

    /// <summary>Copies what is behind the last row that is there already, a page at a time, each page whole or not at all.</summary>
    public void Copy(Session file, PostgresSession target, Action<int> copied)
    {
        var columns = Columns(file);
        var last = LastKey(target);
        while (true)
        {
            using var row = PageAfter(file, columns, last).ExecuteReader();
            var rows = 0;
            using (var import = target.Connection.BeginBinaryImport(
                $"COPY {Name} ({string.Join(", ", columns.Select(c => c.Name))}{(InChain ? ", chain" : "")}) FROM STDIN (FORMAT BINARY)"))
            {
                for (; row.Read(); rows++)
                {
                    import.StartRow();
                    for (var i = 0; i < columns.Count; i++) Write(import, row, i, columns[i].Type);
                    if (InChain) import.Write(1L, NpgsqlDbType.Bigint);
                    last = [.. Key.Select(key => row.GetValue(columns.FindIndex(c => c.Name == key)))];
                }

                import.Complete();
            }

            copied(rows);
            if (rows < Page) return;
        }
    }

    /// <summary>SHA-256 of every value of every row, in the order of the keys.</summary>
    public string Digest(Session session, IReadOnlyList<(string Name, NpgsqlDbType Type)> columns)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var row = session.Command($"SELECT {string.Join(", ", columns.Select(c => c.Name))} FROM {Name} ORDER BY {Order}").ExecuteReader();
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

    private object[]? LastKey(Session target)
    {
        using var row = target.Command($"SELECT {Order} FROM {Name} ORDER BY {string.Join(", ", Key.Select(key => $"{key} DESC"))} LIMIT 1").ExecuteReader();
        return row.Read() ? [.. Key.Select((_, i) => row.GetValue(i))] : null;
    }

    private DbCommand PageAfter(Session file, IReadOnlyList<(string Name, NpgsqlDbType Type)> columns, object[]? last)
    {
        var behind = last is null ? "" : $"WHERE ({Order}) > ({string.Join(", ", Key.Select((_, i) => $"@k{i}"))})";
        var command = file.Command($"SELECT {string.Join(", ", columns.Select(c => c.Name))} FROM {Name} {behind} ORDER BY {Order} LIMIT {Page}");
        for (var i = 0; last is not null && i < last.Length; i++)
        {
            if (last[i] is long number) command.Bind($"@k{i}", number);
            else if (last[i] is string text) command.Bind($"@k{i}", text);
            else command.Bind($"@k{i}", (byte[])last[i]);
        }

        return command;
    }

    private static void Write(NpgsqlBinaryImporter import, DbDataReader row, int at, NpgsqlDbType type)
    {
        if (row.IsDBNull(at)) import.WriteNull();
        else if (type == NpgsqlDbType.Bigint) import.Write(row.GetInt64(at), type);
        else if (type == NpgsqlDbType.Text) import.Write(row.GetString(at), type);
        else import.Write(row.GetFieldValue<byte[]>(at), type);
    }
}
