using System.Data.Common;
using NpgsqlTypes;

namespace Mfa.Server.Store.Postgres;

/// <summary>The other way: each page is a transaction of the file.</summary>
internal static class PagesToFile
{
    public static void Copy(CopiedTable table, PostgresSession source, Session file, Action<int> copied)
    {
        var columns = table.Columns(file);
        var places = string.Join(", ", Enumerable.Range(1, columns.Count).Select(at => $"?{at}"));
        var insert = file.Statement($"INSERT INTO {table.Name} ({CopiedTable.NamesOf(columns)}) VALUES ({places})");
        var last = table.LastKey(file);
        while (true)
        {
            var rows = 0;
            file.Execute("BEGIN IMMEDIATE");
            using (var row = table.PageAfter(source, columns, last).ExecuteReader())
            {
                for (; row.Read(); rows++)
                {
                    for (var i = 0; i < columns.Count; i++) Bind(insert, row, i, columns[i].Type);
                    insert.Step();
                    last = [.. table.Key.Select(key => row.GetValue(columns.FindIndex(c => c.Name == key)))];
                }
            }

            file.Execute("COMMIT");
            copied(rows);
            if (rows < CopiedTable.Page) return;
        }
    }

    private static void Bind(Statement insert, DbDataReader row, int column, NpgsqlDbType type)
    {
        var at = column + 1;
        if (row.IsDBNull(column)) insert.BindNull(at);
        else if (type == NpgsqlDbType.Bigint) insert.Bind(at, row.GetInt64(column));
        else if (type == NpgsqlDbType.Text) insert.BindText(at, row.GetString(column));
        else insert.BindBlob(at, row.GetFieldValue<byte[]>(column));
    }
}
