namespace Mfa.Server.Store.Postgres;

/// <summary>Work within one transaction on a session, at whatever isolation level the database was set to.</summary>
internal static class Transactions
{
    /// <summary>How often work is done again because others were in its way: at a few milliseconds each, far longer than any row is held.</summary>
    private const int Attempts = 12;

    public static T Run<T>(PostgresSession session, Func<PostgresSession, T> work)
    {
        session.Execute("BEGIN");
        try
        {
            var result = work(session);
            session.Execute("COMMIT");
            return result;
        }
        catch
        {
            RollBack(session);
            throw;
        }
    }

    public static void RollBack(PostgresSession session)
    {
        try
        {
            session.Execute("ROLLBACK");
        }
        catch (Exception gone) when (PostgresErrors.IsOfStore(gone) || gone is InvalidOperationException)
        {
            // The connection is gone, and the transaction with it.
        }
    }

    public static async Task RetryAsync(Func<Task> work)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await work();
                return;
            }
            catch (Exception conflict) when (attempt < Attempts && (conflict is LostRaceException || PostgresErrors.IsConflict(conflict)))
            {
                await PauseAsync(attempt);
            }
        }
    }

    /// <summary>Longer every time and never the same, so that two that meet do not meet again.</summary>
    public static Task PauseAsync(int attempt) =>
        Task.Delay(System.Security.Cryptography.RandomNumberGenerator.GetInt32(1, 2 << Math.Min(attempt, 6)));
}
