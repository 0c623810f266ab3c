using Npgsql;

namespace Mfa.Server.Store.Postgres;

/// <summary>The answers table, as statements whose parameters are one array a column.</summary>
internal static class AnswerColumns
{
    // What is forgotten is left out by whoever reads: a condition on its time would let the database look for rows by that.
    private const string Select = """
        SELECT n.at, a.payload, a.answer, a.expire_time
        FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS n(tenant, account, caller, request_id, at) JOIN answers AS a
            ON a.tenant = n.tenant AND a.account = n.account AND a.caller = n.caller AND a.request_id = n.request_id
        """;

    private const string Insert = """
        WITH saved AS (
            INSERT INTO answers (tenant, account, caller, request_id, payload, answer, expire_time)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (tenant, account, caller, request_id)
            DO UPDATE SET payload = excluded.payload, answer = excluded.answer, expire_time = excluded.expire_time
            WHERE answers.expire_time <= $8 RETURNING 1)
        SELECT 1 / (count(*) = $9)::int FROM saved
        """;

    public static NpgsqlBatchCommand Find(IReadOnlyList<RequestMark> marks)
    {
        var command = new NpgsqlBatchCommand(Select);
        BindMarks(command.Parameters, marks);
        return command;
    }

    /// <returns>Null for an answer that is forgotten, although it is still there.</returns>
    public static RememberedAnswer? ReadFrom(NpgsqlDataReader row, DateTimeOffset now) => row.GetInt64(3) > now.ToUnixTimeMilliseconds()
        ? new RememberedAnswer(row.GetFieldValue<byte[]>(1), row.GetFieldValue<byte[]>(2))
        : null;

    /// <summary>Divides by zero when one of the requests has an answer by now.</summary>
    public static NpgsqlBatchCommand Save(IReadOnlyList<(RequestMark Mark, byte[] Answer)> rows, DateTimeOffset now)
    {
        var command = new NpgsqlBatchCommand(Insert);
        BindMarks(command.Parameters, [.. rows.Select(row => row.Mark)]);
        command.Parameters.Add(Arrays.Bytes(rows, row => row.Mark.Payload));
        command.Parameters.Add(Arrays.Bytes(rows, row => row.Answer));
        command.Parameters.Add(Arrays.Numbers(rows, row => row.Mark.ExpireTime.ToUnixTimeMilliseconds()));
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = now.ToUnixTimeMilliseconds() });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = rows.Count });
        return command;
    }

    private static void BindMarks(NpgsqlParameterCollection parameters, IReadOnlyList<RequestMark> marks)
    {
        AccountColumns.BindKeys(parameters, [.. marks.Select(mark => mark.Account)]);
        parameters.Add(Arrays.Texts(marks, mark => mark.Caller));
        parameters.Add(Arrays.Bytes(marks, mark => mark.Id.ToByteArray()));
    }
}
