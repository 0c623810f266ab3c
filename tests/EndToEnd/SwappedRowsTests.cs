using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;
using Microsoft.Data.Sqlite;

namespace Mfa.EndToEnd;

/// <summary>Somebody who can write to the database, but has no key, puts their own secret into another's row (SE2).</summary>
public sealed class SwappedRowsTests
{
    private const string Secret = "f_secret";
    private const string Recovery = "f_recovery_id, f_recovery_key, f_recovery_hashes, f_recovery_used";
    private const string WholeFactor = $"f_id, f_method, f_algorithm, f_digits, f_period, {Secret}, f_last_step, {Recovery}";

    [Theory]
    [InlineData(Secret)]
    [InlineData(WholeFactor)]
    public async Task A_secret_copied_to_another_account_does_not_open(string columns)
    {
        await using var server = await ServerProcess.StartAsync();
        var (attacker, victim) = (await Owner.EnrolAsync(server.Dev), await Owner.EnrolAsync(server.Dev));

        Assert.Equal(0, await server.StopAsync());
        Copy(server.Database, columns, attacker.Account, victim.Account);
        await server.StartAgainAsync();

        // Broken is neither right nor wrong, and above all not "has no second factor".
        foreach (var code in new[] { attacker.NextCode, victim.NextCode, await victim.App.WrongCodeAsync() })
        {
            await Refused.AsAsync(StatusCode.Internal, ErrorReason.Internal, () => server.Dev.VerifyAsync(victim.Account, code));
            await Refused.AsAsync(StatusCode.Internal, ErrorReason.Internal, () => server.Dev.EnableAsync(victim.Account, code));
        }

        Assert.Equal(State.Enabled, (await server.Dev.GetStatusAsync(victim.Account)).State);
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(attacker.Account, attacker.NextCode)).Verdict);
        await Owner.AssertServedAsync(server.Dev);

        // The operator hears of it: a broken call has no row in the audit trail, but an error in the log.
        Assert.Equal(0, await server.StopAsync());
        foreach (var rpc in new[] { "Verify", "Enable" })
            Assert.Contains(server.Lines, line => line.Contains($"/mfa.v1.MfaService/{rpc} failed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Recovery_codes_copied_to_another_account_do_not_match()
    {
        await using var server = await ServerProcess.StartAsync();
        var (attacker, victim) = (await Owner.EnrolAsync(server.Dev), await Owner.EnrolAsync(server.Dev));

        Assert.Equal(0, await server.StopAsync());
        Copy(server.Database, Recovery, attacker.Account, victim.Account);
        await server.StartAgainAsync();

        Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(victim.Account, attacker.RecoveryCodes[0])).Verdict);
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(victim.Account, victim.NextCode)).Verdict);
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(attacker.Account, attacker.RecoveryCodes[0])).Verdict);
    }

    [Fact]
    public async Task A_password_copied_to_another_person_does_not_let_in()
    {
        await using var server = await ServerProcess.StartAsync();
        await ServerProgram.AddPersonAsync(server.Data, "attacker", "attacker@example.org", "a password of mine");
        await ServerProgram.AddPersonAsync(server.Data, "victim", "victim@example.org", "correct horse battery");
        server.Secrets.Add("a password of mine", "correct horse battery");

        Assert.Equal(0, await server.StopAsync());
        const string Password = "password_key, password_rounds, password_salt, password_hash";
        Copy(server.Database, Password, "attacker", "victim", table: "users", key: "name");
        await server.StartAgainAsync();

        await Refused.AsUnauthenticatedAsync(() => server.NewCallerWith(Caller.Basic("victim", "a password of mine")).GetStatusAsync(""));
        await server.NewCallerWith(Caller.Basic("attacker", "a password of mine")).GetStatusAsync("");
    }

    private static void Copy(string database, string columns, string from, string to, string table = "accounts", string key = "account")
    {
        using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the column names are constants of this file
        command.CommandText = $"UPDATE {table} SET ({columns}) = (SELECT {columns} FROM {table} WHERE {key} = @from) WHERE {key} = @to";
#pragma warning restore CA2100
        command.Parameters.AddWithValue("@from", from);
        command.Parameters.AddWithValue("@to", to);
        Assert.Equal(1, command.ExecuteNonQuery());
    }
}
