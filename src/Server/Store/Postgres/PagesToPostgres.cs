using System.Data.Common;
using Npgsql;
using NpgsqlTypes;

namespace Mfa.Server.Store.Postgres;

/// <summary>Copies a table of a file behind the last row that is there already, a page at a time, each page whole or not at all.</summary>
internal static class PagesToPostgres
{
    public static void Copy(CopiedTable table, Session file, PostgresSession target, Action<int> copied)
    {
        var columns = table.Columns(file);
        var last = table.LastKey(target);
        while (true)
        {
            using var row = table.PageAfter(file, columns, last).ExecuteReader();
            var rows = 0;
            using (var import = target.Connection.BeginBinaryImport(
                $"COPY {table.Name} ({CopiedTable.NamesOf(columns)}{(table.InChain ? ", chain" : "")}) FROM STDIN (FORMAT BINARY)"))
            {
                for (; row.Read(); rows++)
                {
                    import.StartRow();
                    for (var i = 0; i < columns.Count; i++) Write(import, row, i, columns[i].Type);
                    if (table.InChain) import.Write(1L, NpgsqlDbType.Bigint);
                    last = [.. table.Key.Select(key => row.GetValue(columns.FindIndex(c => c.Name == key)))];
                }

                import.Complete();
            }

            copied(rows);
            if (rows < CopiedTable.Page) return;
        }
    }

    private static void Write(NpgsqlBinaryImporter import, DbDataReader row, int at, NpgsqlDbType type)
    {
        if (row.IsDBNull(at)) import.WriteNull();
        else if (type == NpgsqlDbType.Bigint) import.Write(row.GetInt64(at), type);
        else if (type == NpgsqlDbType.Text) import.Write(row.GetString(at), type);
        else import.Write(row.GetFieldValue<byte[]>(at), type);
    }
}
