using Mfa.Server.Store;

namespace Mfa.Server.Backups;

/// <summary>What the replaced database knew better than the backup.</summary>
/// <param name="Accounts">Accounts that are as they were last, with every code that was used.</param>
/// <param name="OnAgain">Accounts that had switched their factor off since, and have it again: nobody gets in without one because of a restore.</param>
/// <param name="RevokedKeys">Keys that were revoked since.</param>
/// <param name="RemovedPeople">People who were removed since.</param>
/// <param name="LostKeys">Keys that were made since: they are not in the backup, and are refused.</param>
/// <param name="LostPeople">People who were added since: they are not in the backup, and are refused.</param>
internal sealed record CarriedOver(
    int Accounts, int OnAgain, int RevokedKeys, IReadOnlyList<string> RemovedPeople, IReadOnlyList<string> LostKeys, IReadOnlyList<string> LostPeople);

/// <summary>
/// Takes over from the replaced database, attached as `old`, what must hold although the backup does not know of it. Both have
/// seen the same migrations, so their tables have the same columns in the same order, and a row is taken over whole.
/// </summary>
internal static class CarryOver
{
    public static CarriedOver Run(Session session, bool keepRecoveryCodes)
    {
        var lostKeys = RestoredRows.Names(session, """
            SELECT name FROM old.api_keys WHERE revoke_time IS NULL AND id NOT IN (SELECT id FROM main.api_keys) ORDER BY name
            """);
        var lostPeople = RestoredRows.Names(session, "SELECT name FROM old.users WHERE name NOT IN (SELECT name FROM main.users) ORDER BY name");
        var onAgain = KeepSwitchedOff(session, keepRecoveryCodes);
        var accounts = TakeAccounts(session);
        var revoked = session.Command("""
            UPDATE main.api_keys SET revoke_time = (SELECT o.revoke_time FROM old.api_keys o WHERE o.id = api_keys.id)
            WHERE revoke_time IS NULL AND EXISTS (SELECT 1 FROM old.api_keys o WHERE o.id = api_keys.id AND o.revoke_time IS NOT NULL)
            """).ExecuteNonQuery();
        var removed = RestoredRows.Names(session, "DELETE FROM main.users WHERE name NOT IN (SELECT name FROM old.users) RETURNING name");
        session.Execute("""
            INSERT OR REPLACE INTO main.users SELECT * FROM old.users WHERE name IN (SELECT name FROM main.users);
            INSERT OR REPLACE INTO main.send_counts SELECT * FROM old.send_counts;
            UPDATE main.database_state SET mark = (SELECT mark FROM old.database_state);
            DELETE FROM main.clock_gaps;
            INSERT INTO main.clock_gaps SELECT * FROM old.clock_gaps;
            INSERT OR IGNORE INTO main.ring_keys SELECT * FROM old.ring_keys;
            DELETE FROM main.certificate_names WHERE san NOT IN (SELECT san FROM old.certificate_names);
            INSERT OR IGNORE INTO main.revoked_certificates SELECT * FROM old.revoked_certificates;
            DELETE FROM main.audit_head;
            INSERT INTO main.audit_head SELECT * FROM old.audit_head;
            DELETE FROM main.audit;
            INSERT INTO main.audit SELECT * FROM old.audit;
            DELETE FROM main.audit_checkpoints;
            INSERT INTO main.audit_checkpoints SELECT * FROM old.audit_checkpoints;
            DELETE FROM main.audit_segments;
            INSERT INTO main.audit_segments SELECT * FROM old.audit_segments;
            """);
        return new CarriedOver(accounts, onAgain, revoked, removed, lostKeys, lostPeople);
    }

    /// <summary>
    /// A factor that was switched off since is in force again, its recovery codes being as doubtful as those of any backup. The
    /// guesses stay counted.
    /// </summary>
    private static int KeepSwitchedOff(Session session, bool keepRecoveryCodes)
    {
        var command = session.Command("""
            UPDATE main.accounts SET
                f_recovery_stale = 1, f_recovery_used = iif(@keep, accounts.f_recovery_used, 255),
                version = max(accounts.version, o.version),
                factor_failures = max(accounts.factor_failures, o.factor_failures),
                enrollment_failures = max(accounts.enrollment_failures, o.enrollment_failures),
                enrollment_locked_until = max(coalesce(accounts.enrollment_locked_until, o.enrollment_locked_until), coalesce(o.enrollment_locked_until, 0)),
                recovery_failures = max(accounts.recovery_failures, o.recovery_failures)
            FROM old.accounts o
            WHERE o.tenant = accounts.tenant AND o.account = accounts.account AND accounts.f_id IS NOT NULL AND o.f_id IS NULL
            """);
        command.Bind("@keep", keepRecoveryCodes ? 1 : 0);
        return command.ExecuteNonQuery();
    }

    /// <summary>Enrolled since, replaced since, or the same with later steps and more codes used: the later row is the stricter one.</summary>
    private static int TakeAccounts(Session session) => session.Command("""
        INSERT OR REPLACE INTO main.accounts
        SELECT * FROM old.accounts o
        WHERE o.f_id IS NOT NULL
            OR NOT EXISTS (SELECT 1 FROM main.accounts a WHERE a.tenant = o.tenant AND a.account = o.account AND a.f_id IS NOT NULL)
        """).ExecuteNonQuery();
}
