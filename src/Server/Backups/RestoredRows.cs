using Mfa.Server.Domain;
using Mfa.Server.Store;

namespace Mfa.Server.Backups;

/// <summary>What must not come back with a backup, as statements on the restored database. The replaced one is attached as `old`.</summary>
internal static class RestoredRows
{
    /// <summary>
    /// Ends everything that lived for minutes: sent codes, tokens to switch off, pending enrollments, messages on their way, and
    /// the answers that would be given again.
    /// </summary>
    public const string VoidWhatIsOpen = """
        DELETE FROM outbox;
        DELETE FROM answers;
        UPDATE accounts SET
            d_hash = NULL, d_enrollment = NULL, d_expire = NULL,
            f_code_id = NULL, f_code_key = NULL, f_code_hash = NULL, f_code_expire = NULL, f_code_tries = NULL,
            p_expire_time = NULL, p_id = NULL, p_method = NULL, p_algorithm = NULL, p_digits = NULL, p_period = NULL,
            p_secret = NULL, p_last_step = NULL, p_recovery_id = NULL, p_recovery_key = NULL, p_recovery_hashes = NULL,
            p_recovery_used = NULL, p_recovery_stale = NULL, p_email = NULL, p_phone = NULL, p_locale = NULL,
            p_code_id = NULL, p_code_key = NULL, p_code_hash = NULL, p_code_expire = NULL, p_code_tries = NULL,
            p_spent_from = NULL, p_spent_to = NULL
        WHERE d_hash IS NOT NULL OR f_code_id IS NOT NULL OR p_id IS NOT NULL;
        """;

    /// <summary>More than any account is saved in its life: no version of the time since the backup is ever used again.</summary>
    private const long VersionStep = 1L << 32;

    /// <summary>
    /// Nobody knows which codes were accepted after the backup. So every time step up to now, and as far beyond as any server
    /// accepts, is used up; and no decision that was made on a row before can be saved over it.
    /// </summary>
    public static void UseUpTimeSteps(Session session, DateTimeOffset now)
    {
        var command = session.Command("""
            UPDATE accounts SET version = version + @step, f_last_step = max(f_last_step, @now / f_period + @tolerance)
            """);
        command.Bind("@step", VersionStep);
        command.Bind("@now", now.ToUnixTimeSeconds());
        command.Bind("@tolerance", TotpMatch.MostTolerance);
        command.ExecuteNonQuery();
    }

    /// <summary>The same for recovery codes, whose owners are asked to make new ones.</summary>
    /// <param name="keep">Lets those that the backup knows as unused be accepted all the same.</param>
    /// <returns>How many accounts it concerns.</returns>
    public static int MarkRecoveryCodes(Session session, bool keep)
    {
        var command = session.Command("""
            UPDATE accounts SET f_recovery_stale = 1, f_recovery_used = iif(@keep, f_recovery_used, 255) WHERE f_id IS NOT NULL
            """);
        command.Bind("@keep", keep ? 1 : 0);
        return command.ExecuteNonQuery();
    }

    public static int RevokeKeys(Session session, DateTimeOffset now)
    {
        var command = session.Command("UPDATE api_keys SET revoke_time = @now WHERE revoke_time IS NULL");
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        return command.ExecuteNonQuery();
    }

    public static List<string> KeysInForce(Session session) => Names(session, "SELECT name FROM api_keys WHERE revoke_time IS NULL ORDER BY name");

    /// <summary>Time goes on from here; what was saved between the backup and now is gone, so the span is no gap.</summary>
    public static void NoteRestore(Session session, DateTimeOffset now)
    {
        var command = session.Command("""
            UPDATE clock_gaps SET from_time = @now WHERE from_time < @now AND to_time > @now;
            UPDATE database_state SET mark = max(mark, @now), restore_time = @now;
            """);
        command.Bind("@now", now.ToUnixTimeMilliseconds());
        command.ExecuteNonQuery();
    }

    public static List<string> Names(Session session, string sql)
    {
        using var row = session.Command(sql).ExecuteReader();
        var names = new List<string>();
        while (row.Read()) names.Add(row.GetString(0));
        return names;
    }
}
