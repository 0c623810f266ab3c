using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Mfa.Server.Store;

/// <summary>
/// A compiled statement, bound and read by position, straight through SQLite's own functions. For the rows that come with every
/// verdict and the walks over all of them: there SqliteCommand costs several times what SQLite does. Belongs to its session.
/// </summary>
internal sealed unsafe class Statement : IDisposable
{
    private const int LongestOnStack = 512;

    private readonly sqlite3 _connection;
    private readonly sqlite3_stmt _owner;
    private readonly nint _statement;

    public Statement(SqliteConnection connection, string sql)
    {
        _connection = connection.Handle!;
        Check(raw.sqlite3_prepare_v2(_connection, sql, out _owner));
        _statement = _owner.DangerousGetHandle();
    }

    /// <param name="at">Counts from 1.</param>
    public void Bind(int at, long value) => Check(SqliteFunctions.BindLong(_statement, at, value));

    public void Bind(int at, long? value) =>
        Check(value is { } number ? SqliteFunctions.BindLong(_statement, at, number) : SqliteFunctions.BindNull(_statement, at));

    public void Bind(int at, DateTimeOffset? time) => Bind(at, time?.ToUnixTimeMilliseconds());

    public void Bind(int at, Guid? id)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (id is { } value && value.TryWriteBytes(bytes)) BindBytes(at, bytes);
        else BindNull(at);
    }

    public void BindText(int at, ReadOnlySpan<byte> utf8)
    {
        var nothing = (byte)0; // an empty span has no address, which SQLite would take for NULL
        fixed (byte* text = utf8)
            Check(SqliteFunctions.BindText(_statement, at, text is null ? &nothing : text, utf8.Length, SqliteFunctions.Copy));
    }

    public void BindText(int at, string? text)
    {
        if (text is null)
        {
            BindNull(at);
            return;
        }

        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        var utf8 = most <= LongestOnStack ? stackalloc byte[LongestOnStack] : new byte[most];
        BindText(at, utf8[..Encoding.UTF8.GetBytes(text, utf8)]);
    }

    /// <summary>Nothing is NULL.</summary>
    public void BindBytes(int at, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* blob = bytes) Check(SqliteFunctions.BindBlob(_statement, at, blob, bytes.Length, SqliteFunctions.Copy));
    }

    /// <summary>Nothing is an empty blob.</summary>
    public void BindBlob(int at, ReadOnlySpan<byte> bytes)
    {
        var nothing = (byte)0;
        fixed (byte* blob = bytes) Check(SqliteFunctions.BindBlob(_statement, at, blob is null ? &nothing : blob, bytes.Length, SqliteFunctions.Copy));
    }

    public void BindNull(int at) => Check(SqliteFunctions.BindNull(_statement, at));

    /// <returns>Whether there is a row to read. After the last one the statement can be bound and run again.</returns>
    public bool Step()
    {
        var code = SqliteFunctions.Step(_statement);
        if (code == raw.SQLITE_ROW) return true;
        var reset = SqliteFunctions.Reset(_statement);
        if (code != raw.SQLITE_DONE) Check(reset == raw.SQLITE_OK ? code : reset);
        return false;
    }

    /// <returns>How many rows it changed.</returns>
    public int Run()
    {
        Step();
        return raw.sqlite3_changes(_connection);
    }

    /// <summary>Leaves the rest of the rows.</summary>
    public void Reset() => _ = SqliteFunctions.Reset(_statement);

    /// <param name="at">Counts from 0.</param>
    public long Long(int at) => SqliteFunctions.ColumnLong(_statement, at);

    public DateTimeOffset? Time(int at) => IsNull(at) ? null : DateTimeOffset.FromUnixTimeMilliseconds(Long(at));

    public string Text(int at) => Encoding.UTF8.GetString(Bytes(at));

    /// <summary>Text as UTF-8, or a blob. Good until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int at)
    {
        var bytes = SqliteFunctions.ColumnBlob(_statement, at); // before the length, which belongs to the form that was asked for
        return new ReadOnlySpan<byte>(bytes, SqliteFunctions.ColumnLength(_statement, at));
    }

    public bool IsNull(int at) => SqliteFunctions.ColumnType(_statement, at) == raw.SQLITE_NULL;

    public void Dispose() => _owner.Dispose();

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK) SqliteException.ThrowExceptionForRC(code, _connection);
    }
}
